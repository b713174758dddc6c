//! What proxies say of the routes they have, when they connect.
//!
//! Anybody who reaches the port may say anything, so little is made of it: a word raises an alarm,
//! and `adopt`, which a person confirms, begins above the number in it. It changes no role, opens no
//! server and holds up no operation. A false one costs an alarm until the monitor is started again,
//! and whoever adopts is shown the number and who said it. Against an absurd number, which would
//! leave no room for later epochs, there is a limit.

use mysqlsvc_core::{Epoch, Incarnation};
use tokio::sync::watch;

use crate::publish::ProxyMode;

/// No higher epoch is believed. One change of master a second reaches it in 285 million years, and
/// every reader of JSON still tells it from the next number.
const BELIEVED: Epoch = Epoch(1 << 53);

/// Which route a proxy said it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyWord {
    /// How it calls itself.
    pub proxy: String,
    /// What it carries.
    pub mode: ProxyMode,
    /// Where it said so from: what the connection shows, not what it says.
    pub address: String,
    /// Of its route.
    pub epoch: Epoch,
    /// The store that its route comes from.
    pub incarnation: Incarnation,
}

impl ProxyWord {
    /// Whether no route of this epoch and store is taken by the proxy: its own is of a later epoch,
    /// or of the same one by another store.
    pub fn outranks(&self, epoch: Epoch, incarnation: Incarnation) -> bool {
        // None has epoch 0: there is no route before the first master.
        self.epoch > epoch
            || (self.epoch == epoch && self.epoch > Epoch(0) && self.incarnation != incarnation)
    }
}

/// The word that counts most; the others are not kept. Cheap to clone: all clones are one.
#[derive(Debug, Clone)]
pub(super) struct Words {
    highest: watch::Sender<Option<ProxyWord>>,
    ours: Incarnation,
}

impl Words {
    /// Of proxies of this store; and where each new highest word is seen.
    pub(super) fn new(ours: Incarnation) -> (Self, watch::Receiver<Option<ProxyWord>>) {
        let (highest, heard) = watch::channel(None);
        (Self { highest, ours }, heard)
    }

    pub(super) fn highest(&self) -> Option<ProxyWord> {
        self.highest.borrow().clone()
    }

    pub(super) fn hear(&self, word: ProxyWord) {
        let rank = |word: &ProxyWord| (word.epoch, word.incarnation != self.ours);
        if word.epoch > BELIEVED {
            tracing::debug!(?word, "not believed");
            return;
        }
        self.highest.send_if_modified(|highest| {
            let higher = highest.as_ref().is_none_or(|highest| rank(&word) > rank(highest));
            if higher {
                *highest = Some(word);
            }
            higher
        });
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const OURS: Incarnation = Incarnation(Uuid::from_u128(1));
    const OTHER: Incarnation = Incarnation(Uuid::from_u128(2));

    fn word(epoch: u64, incarnation: Incarnation) -> ProxyWord {
        ProxyWord {
            proxy: "p".to_owned(),
            mode: ProxyMode::Master,
            address: "10.0.0.9".to_owned(),
            epoch: Epoch(epoch),
            incarnation,
        }
    }

    #[test]
    fn a_route_is_outranked_exactly_where_the_proxy_would_not_take_it() {
        for (theirs, incarnation, ours, expected) in [
            (7, OURS, 7, false),
            (6, OURS, 7, false),
            (8, OURS, 7, true),
            (7, OTHER, 7, true),
            (6, OTHER, 7, false),
            (8, OTHER, 7, true),
            (0, OTHER, 0, false),
        ] {
            let outranks = word(theirs, incarnation).outranks(Epoch(ours), OURS);
            assert_eq!(outranks, expected, "{theirs} of {incarnation:?} against {ours}");
        }
    }

    #[test]
    fn only_the_highest_word_is_kept_and_none_beyond_belief() {
        let (words, mut heard) = Words::new(OURS);
        for (said, news, kept) in [
            (word(5, OURS), true, word(5, OURS)),
            (word(5, OURS), false, word(5, OURS)),
            (word(5, OTHER), true, word(5, OTHER)),
            (word(5, OURS), false, word(5, OTHER)),
            (word(u64::MAX, OTHER), false, word(5, OTHER)),
            (word(BELIEVED.0 + 1, OURS), false, word(5, OTHER)),
            (word(BELIEVED.0, OURS), true, word(BELIEVED.0, OURS)),
        ] {
            words.hear(said.clone());
            assert_eq!(heard.has_changed().unwrap(), news, "{said:?}");
            assert_eq!(heard.borrow_and_update().clone(), Some(kept));
        }
    }
}
