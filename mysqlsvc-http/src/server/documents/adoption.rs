//! What a cluster would be taken up as.

use mysqlsvc_core::{Incarnation, Role, engine::Adoption};
use mysqlsvc_monitor::{cluster::ProxyWord, publish};

use crate::wire::{AdoptionDocument, HeardDocument, ProxyMode};

/// An epoch that no cluster comes to in its life: with a change of master each hour, a century.
const UNLIKELY: u64 = 1_000_000;

/// The document of an adoption into the store `ours`, with the proxy whose word counts in it.
pub(crate) fn adoption_document(
    adoption: &Adoption,
    heard: Option<&ProxyWord>,
    ours: Incarnation,
) -> AdoptionDocument {
    let of = |role: Role| {
        let nodes = adoption.roles.iter().filter(move |(_, its)| **its == role);
        nodes.map(|(node, _)| node.to_string())
    };
    let mut warnings: Vec<_> =
        adoption.warnings.iter().map(|finding| finding.text.clone()).collect();
    warnings.extend(heard.filter(|word| word.epoch.0 > UNLIKELY).map(unlikely));
    AdoptionDocument {
        epoch: adoption.epoch.0,
        master: of(Role::Master).collect(),
        standby: of(Role::Standby).next(),
        slaves: of(Role::Slave).collect(),
        mutual: adoption.mutual,
        writable: adoption.writable,
        heard: heard.map(|word| heard_document(word, ours)),
        warnings,
    }
}

fn heard_document(word: &ProxyWord, ours: Incarnation) -> HeardDocument {
    HeardDocument {
        proxy: word.proxy.clone(),
        mode: match word.mode {
            publish::ProxyMode::Master => ProxyMode::Master,
            publish::ProxyMode::Slave => ProxyMode::Slave,
        },
        address: word.address.clone(),
        epoch: word.epoch.0,
        other_store: word.incarnation != ours,
    }
}

fn unlikely(word: &ProxyWord) -> String {
    format!(
        "epoch {} is more than a cluster comes to; only {} at {} speaks of it. If that is no proxy \
         of this cluster, keep it away and start monitord again: what was heard is then forgotten",
        word.epoch, word.proxy, word.address
    )
}
