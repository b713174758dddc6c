//! Semi-synchronous replication, under the three sets of names that servers have for it.

use std::collections::BTreeSet;

use mysqlsvc_core::{
    Millis,
    backend::{SemiSyncPart, SemiSyncStatus, SemiSyncWait},
};

use super::{Fault, Record, Table};

/// How a server calls the two parts. It is a server's for as long as its plugins stay loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct SemiSyncNames {
    source: &'static str,
    replica: &'static str,
    /// None where it always waits for one.
    wait_for: Option<&'static str>,
    /// Where status variables are found at the least cost.
    status: &'static str,
}

/// MySQL's plugins of 8.0.26 and later; its older ones, which 8.0 has as well; MariaDB.
const NAMES: [SemiSyncNames; 3] = [
    SemiSyncNames {
        source: "source",
        replica: "replica",
        wait_for: Some("wait_for_replica_count"),
        status: "performance_schema.global_status",
    },
    SemiSyncNames {
        source: "master",
        replica: "slave",
        wait_for: Some("wait_for_slave_count"),
        status: "performance_schema.global_status",
    },
    SemiSyncNames {
        source: "master",
        replica: "slave",
        wait_for: None,
        status: "information_schema.GLOBAL_STATUS",
    },
];

impl SemiSyncNames {
    /// What tells the names. Needs no right, and too long for each look.
    pub(in super::super) const ASK: &'static str =
        "SHOW GLOBAL VARIABLES LIKE 'rpl\\_semi\\_sync%'";

    /// From the answer to [`Self::ASK`]; none where one of the parts is not loaded.
    pub(in super::super) fn read(variables: &Table) -> Option<Self> {
        let there: BTreeSet<String> =
            variables.rows().filter_map(Record::first).map(str::to_lowercase).collect();
        let has = |part, name| there.contains(&variable(part, name));
        NAMES.into_iter().find(|names| {
            has(names.source, "enabled")
                && has(names.replica, "enabled")
                && names.wait_for.is_none_or(|name| has(names.source, name))
        })
    }

    /// One row. Status variables cost most, and are looked up for a part that is played only.
    pub(in super::super) fn question(self) -> String {
        let Self { source, replica, wait_for, .. } = self;
        let global = |part, name| format!("@@global.{}", variable(part, name));
        format!(
            "SELECT {source_enabled} AS source, {replicas} AS wait_for, {timeout} AS timeout, \
             {replica_enabled} AS replica, {waiting} AS waiting, {clients} AS clients, \
             {takes_part} AS takes_part",
            source_enabled = global(source, "enabled"),
            replicas = wait_for.map_or("1".to_owned(), |name| global(source, name)),
            timeout = global(source, "timeout"),
            replica_enabled = global(replica, "enabled"),
            waiting = self.status_of(source, "status"),
            clients = self.status_of(source, "clients"),
            takes_part = self.status_of(replica, "status"),
        )
    }

    fn status_of(self, part: &str, name: &str) -> String {
        format!(
            "IF(@@global.{}, (SELECT VARIABLE_VALUE FROM {} WHERE VARIABLE_NAME = '{}'), 0)",
            variable(part, "enabled"),
            self.status,
            variable(part, name),
        )
    }

    /// From the row that answers [`Self::question`].
    pub(in super::super) fn seen(self, row: Record<'_>) -> Result<SemiSync, Fault> {
        let is_on = |column| row.text(column).map(|text| matches!(text, "1" | "ON"));
        let wait = SemiSyncWait {
            replicas: row.number("wait_for")?,
            timeout: Millis(row.number("timeout")?),
        };
        let status = SemiSyncStatus {
            source: is_on("source")?.then_some(wait),
            replica: is_on("replica")?,
            waiting: is_on("waiting")?,
            replicas: row.number("clients")?,
        };
        Ok(SemiSync { names: self, status, takes_part: is_on("takes_part")? })
    }
}

fn variable(part: &str, name: &str) -> String {
    format!("rpl_semi_sync_{part}_{name}")
}

/// What a server does of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct SemiSync {
    names: SemiSyncNames,
    /// What a look tells of it.
    pub(in super::super) status: SemiSyncStatus,
    /// Whether its receiving thread has told its source, since it connected, that it takes part.
    pub(in super::super) takes_part: bool,
}

impl SemiSync {
    /// Whether it plays this part and not the other, as far as this server can.
    pub(in super::super) fn plays(&self, part: SemiSyncPart) -> bool {
        self.status.plays(self.possible(part))
    }

    /// MariaDB always waits for one replica.
    fn possible(&self, part: SemiSyncPart) -> SemiSyncPart {
        match part {
            SemiSyncPart::Source { timeout, .. } if self.names.wait_for.is_none() => {
                SemiSyncPart::Source { replicas: 1, timeout }
            }
            part => part,
        }
    }

    /// The statement that gives the server this part, and ends the other one.
    pub(in super::super) fn play(&self, part: SemiSyncPart) -> String {
        let SemiSyncNames { source, replica, wait_for, .. } = self.names;
        let set = |part, name, value: u64| format!("GLOBAL {} = {value}", variable(part, name));
        let mut changes = Vec::new();
        if let SemiSyncPart::Source { replicas, timeout } = part {
            changes.extend(wait_for.map(|name| set(source, name, replicas.into())));
            changes.push(set(source, "timeout", timeout.0));
        }
        let is_replica = part == SemiSyncPart::Replica;
        changes.push(set(source, "enabled", (!is_replica).into()));
        changes.push(set(replica, "enabled", is_replica.into()));
        format!("SET {}", changes.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of(variables: &[&str]) -> Option<SemiSyncNames> {
        let all: Vec<String> =
            variables.iter().map(|name| format!("rpl_semi_sync_{name}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        SemiSyncNames::read(&Table::of_lines(&all))
    }

    #[test]
    fn a_server_is_told_by_the_variables_that_it_has() {
        let [new, old, mariadb] = NAMES;
        let source = ["source_enabled", "source_wait_for_replica_count"];
        assert_eq!(names_of(&[&source[..], &["replica_enabled"]].concat()), Some(new));
        assert_eq!(names_of(&source), None, "one part alone is of no use");
        let master = ["master_enabled", "slave_enabled"];
        assert_eq!(names_of(&master), Some(mariadb));
        assert_eq!(names_of(&[&master[..], &["master_wait_for_slave_count"]].concat()), Some(old));
        assert_eq!(names_of(&[]), None);
    }

    #[test]
    fn a_part_is_one_statement_in_the_servers_own_words() {
        let status = SemiSyncStatus { source: None, replica: true, waiting: false, replicas: 0 };
        let [_, old, mariadb] =
            NAMES.map(|names| SemiSync { names, status: status.clone(), takes_part: true });
        let part = SemiSyncPart::Source { replicas: 2, timeout: Millis(500) };
        assert_eq!(
            old.play(part),
            "SET GLOBAL rpl_semi_sync_master_wait_for_slave_count = 2, \
             GLOBAL rpl_semi_sync_master_timeout = 500, GLOBAL rpl_semi_sync_master_enabled = 1, \
             GLOBAL rpl_semi_sync_slave_enabled = 0"
        );
        assert!(!mariadb.play(part).contains("count"));
        assert!(old.plays(SemiSyncPart::Replica) && !old.plays(part));
    }
}
