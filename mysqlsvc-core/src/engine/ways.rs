//! Ways out, for the texts of refusals.

use super::{Reason, Refusal};
use crate::{
    Flavor, GtidSet, NodeId, NodeState,
    state::{Syncing, Trouble},
};

/// The refusal of what a node's state does not allow: what would, and how to get there.
pub(super) fn wrong_state(node: &NodeId, state: &NodeState, needed: &str) -> Refusal {
    let detail = format!("{node} is {state}; {needed}. {}", way_on(node, state));
    Refusal::new(Reason::WrongState, detail)
}

/// What to do about a node in this state.
pub(super) fn way_on(node: &NodeId, state: &NodeState) -> String {
    match state {
        NodeState::Ok => format!("{node} is well: there is nothing to do"),
        NodeState::Syncing(Syncing::SourceUnreachable { .. }) => {
            "Bring its source back, or the network between them".to_owned()
        }
        NodeState::Syncing(Syncing::Behind { .. }) => "Wait until it has caught up".to_owned(),
        NodeState::Detached => format!("`mysqlsvc activate {node}` lets it replicate"),
        NodeState::Paused(_) => format!("`mysqlsvc resume {node}` lets it go on"),
        NodeState::Lost { .. } => {
            format!("`mysqlsvc activate {node}` lets it replicate from the master")
        }
        NodeState::Error(trouble) => way_out(node, trouble),
        NodeState::Unregistered => "Register it first".to_owned(),
        NodeState::Unknown => "Wait until it was looked at".to_owned(),
    }
}

fn way_out(node: &NodeId, trouble: &Trouble) -> String {
    match trouble {
        Trouble::Unreachable { .. } | Trouble::Hung { .. } => {
            "Look at the server and the network, and bring it back".to_owned()
        }
        Trouble::Login { .. } => "Mend our account and its rights there".to_owned(),
        Trouble::Unsupported { .. } => "Put a server there that is supported".to_owned(),
        Trouble::Identity { .. } | Trouble::WentBack { .. } => format!(
            "If it is to be a replica, `mysqlsvc clone {node}`; else unregister it, see to its \
             data, and register it again"
        ),
        Trouble::CopyDue => format!("`mysqlsvc clone {node}` makes it whole"),
        Trouble::Writable => "Make it read-only (SET GLOBAL read_only=1), and find out who wrote \
                              to it"
            .to_owned(),
        Trouble::ReplicationBroken { .. } => format!(
            "Mend what its error says, then `mysqlsvc activate {node}`; what cannot be mended, \
             `mysqlsvc clone {node}` replaces"
        ),
    }
}

/// The refusal of a node that holds what its source, the master, lacks.
pub(super) fn errant(node: &NodeId, source: &NodeId, errant: &GtidSet) -> Refusal {
    let ways = match errant {
        GtidSet::MySql(_) => format!(
            "then either let {source} execute an empty transaction in place of each{}, or make \
             {node} a copy of it (`mysqlsvc clone {node}`)",
            empty_transaction(errant)
        ),
        // gtid_strict_mode takes no number that is not above the last of its domain.
        GtidSet::Positions(_) => {
            let detail = format!(
                "by what is known, {node} has something that {source} lacks: {errant}. If that is \
                 its own log, which only a restart moved on, say where its data are (`mysqlsvc \
                 activate {node} --at FILE:OFFSET`); else make {node} a copy of {source}"
            );
            return Refusal::new(Reason::Errant, detail);
        }
        GtidSet::MariaDb(_) => format!(
            "then make {node} a copy of it (`mysqlsvc clone {node}`); or, if they are to stay and \
             {node} holds all that {source} does, make {node} the master: `mysqlsvc pause \
             {source}`, unregister both, register {node} as master and `mysqlsvc resume {node}`"
        ),
    };
    let reader = match errant.flavor() {
        Flavor::MySql => "mysqlbinlog",
        Flavor::MariaDb => "mariadb-binlog",
    };
    let detail = format!(
        "{node} has transactions that {source} lacks: {errant}; find out what they did \
         ({reader}), {ways}"
    );
    Refusal::new(Reason::Errant, detail)
}

/// The statements for the first of them.
fn empty_transaction(errant: &GtidSet) -> String {
    let first = errant.transactions(1).listed.into_iter().next();
    first.map_or_else(String::new, |gtid| {
        format!(" (`SET gtid_next='{gtid}'; BEGIN; COMMIT; SET gtid_next='AUTOMATIC'`)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(flavor: Flavor, set: &str) -> String {
        let [node, source] = ["b:3306", "a:3306"].map(|address| address.parse().unwrap());
        errant(&node, &source, &GtidSet::parse(flavor, set).unwrap()).detail
    }

    #[test]
    fn the_ways_out_of_errant_transactions_are_those_of_the_flavour() {
        let uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        let mysql = said(Flavor::MySql, &format!("{uuid}:5-7"));
        let statements =
            format!("`SET gtid_next='{uuid}:5'; BEGIN; COMMIT; SET gtid_next='AUTOMATIC'`");
        assert!(mysql.contains(&statements), "{mysql}");
        let mariadb = said(Flavor::MariaDb, "0-2-10");
        assert!(!mariadb.contains("empty") && mariadb.contains("register b:3306 as master"));
        for text in [mysql, mariadb] {
            assert!(text.contains("`mysqlsvc clone b:3306`"), "{text}");
        }
    }
}
