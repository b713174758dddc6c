//! Which record may follow which: the journal beside the table in its documentation, read anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod decoding;
mod made;
mod table;

use std::{cell::RefCell, collections::BTreeSet};

use mysqlsvc_core::{
    WallTime,
    journal::{Entry, Journal, Progress, Record},
};
use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};

use crate::{
    made::{Draft, drafts},
    table::{Kind, Past, Row, TABLE},
};

/// Random enough to come to every row, and the same on every run.
fn fixed() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(0x6a6f_7572),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A journal, the entries it took, and the same by the table.
#[derive(Default)]
struct Bench {
    journal: Journal,
    taken: Vec<Entry>,
    past: Past,
}

impl Bench {
    /// Offers the record to the journal, which must say what the table says; whether it was taken,
    /// and in which row.
    fn offer(&mut self, record: Record) -> Result<(Row, bool), TestCaseError> {
        let row = self.past.row();
        let legal = self.past.may_follow(self.journal.intent(), &record);
        let entry = Entry { at: WallTime(self.taken.len() as u64), record };
        let before = self.journal.clone();
        let answer = self.journal.apply(&entry);
        prop_assert_eq!(answer.is_ok(), legal, "{:?} by the table: {:?}", row, entry.record);
        if let Err(illegal) = answer {
            prop_assert_eq!(&self.journal, &before, "{} has changed it", illegal);
        } else {
            self.past.take(entry.record.clone());
            self.taken.push(entry);
        }
        prop_assert_eq!(self.journal.running().is_some(), self.past.is_running());
        Ok((row, legal))
    }

    fn offer_all(
        &mut self,
        drafts: Vec<Draft>,
    ) -> Result<BTreeSet<(Row, Kind, bool)>, TestCaseError> {
        let mut seen = BTreeSet::new();
        for draft in drafts {
            let record = draft.record(&self.past);
            let kind = Kind::of(&record);
            let (row, taken) = self.offer(record)?;
            seen.insert((row, kind, taken));
        }
        Ok(seen)
    }
}

#[test]
fn the_journal_takes_what_the_table_lets_follow_and_nothing_else() {
    let seen = RefCell::new(BTreeSet::new());
    TestRunner::new(fixed())
        .run(&drafts(), |drafts| {
            let mut some = Bench::default().offer_all(drafts)?;
            seen.borrow_mut().append(&mut some);
            Ok(())
        })
        .unwrap_or_else(|failed| panic!("{failed}"));
    let seen = seen.into_inner();
    for (row, kinds) in TABLE {
        for kind in Kind::ALL {
            let taken = kinds.contains(&kind) || kind.is_always_taken(*row);
            assert!(seen.contains(&(*row, kind, taken)), "no {kind:?} came up {row:?}");
        }
    }
}

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn replaying_what_was_taken_gives_the_same_journal(drafts in drafts()) {
        let mut bench = Bench::default();
        bench.offer_all(drafts)?;
        prop_assert_eq!(&Journal::replay(&bench.taken).unwrap(), &bench.journal);
        let stored = serde_json::to_string(&bench.taken).unwrap();
        let read: Vec<Entry> = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&read, &bench.taken);
        prop_assert_eq!(Journal::replay(&read).unwrap(), bench.journal);
    }

    #[test]
    fn what_is_known_of_an_operation_is_what_was_taken(drafts in drafts()) {
        let mut bench = Bench::default();
        bench.offer_all(drafts)?;
        let begun: Vec<_> = bench.taken.iter().filter(|e| Kind::of(&e.record) == Kind::Began).collect();
        let over = bench.journal.history().map(|execution| (execution.began, true));
        let running = bench.journal.running().map(|execution| (execution.began, false));
        let known: Vec<_> = over.chain(running).collect();
        prop_assert_eq!(known.len(), begun.len());
        for ((began, over), entry) in known.iter().zip(begun) {
            prop_assert_eq!(*began, entry.at);
            prop_assert!(*over || bench.past.is_running());
        }
        for execution in bench.journal.history() {
            prop_assert!(matches!(execution.progress, Progress::Ended(_)) && execution.is_over());
            prop_assert!(execution.ended.is_some_and(|ended| ended > execution.began));
            prop_assert_eq!(execution.steps.len(), execution.plan.steps.len());
        }
    }
}
