//! When writes were acknowledged, and how long none were.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How many acknowledgements are remembered: minutes of them at any rate that is of interest.
const REMEMBERED: usize = 1 << 18;

/// The longest time without an acknowledged write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Over all writers: what the application as a whole saw.
    pub application: Duration,
    /// Of the one writer that waited longest.
    pub worst_writer: Duration,
}

/// Acknowledgements in the order in which they came, the oldest ones forgotten.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    entries: Mutex<VecDeque<(Instant, u32)>>,
}

impl Timeline {
    pub(super) fn record(&self, writer: u32) {
        let mut entries = self.lock();
        if entries.len() == REMEMBERED {
            entries.pop_front();
        }
        // Taken under the lock, so that entries are in order.
        entries.push_back((Instant::now(), writer));
    }

    /// Which writers were acknowledged something after `moment`.
    pub(super) fn writers_since(&self, moment: Instant) -> usize {
        let entries = self.lock();
        let since = entries.iter().rev().take_while(|(at, _)| *at > moment);
        since.map(|(_, writer)| writer).collect::<std::collections::BTreeSet<_>>().len()
    }

    /// The longest gaps between two acknowledgements that reach into `from..to`. Where nothing
    /// came before or after, the end of the range counts.
    pub(super) fn gap(&self, from: Instant, to: Instant) -> Gap {
        let entries = self.lock();
        let mut application = Longest::default();
        let mut writers: BTreeMap<u32, Longest> = BTreeMap::new();
        for (at, writer) in entries.iter() {
            application.see(*at, from, to);
            writers.entry(*writer).or_default().see(*at, from, to);
        }
        let worst = writers.into_values().map(|writer| writer.end(from, to)).max();
        let application = application.end(from, to);
        Gap { application, worst_writer: worst.unwrap_or(application) }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Instant, u32)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The longest distance between two moments in a row, one of which may lie outside of the range.
#[derive(Debug, Default)]
struct Longest {
    last: Option<Instant>,
    longest: Duration,
}

impl Longest {
    fn see(&mut self, at: Instant, from: Instant, to: Instant) {
        let before = self.last.unwrap_or(from);
        if at >= from && before <= to {
            self.longest = self.longest.max(at.saturating_duration_since(before));
        }
        self.last = Some(at);
    }

    fn end(self, from: Instant, to: Instant) -> Duration {
        let open = to.saturating_duration_since(self.last.unwrap_or(from));
        self.longest.max(open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(entries: &[(u64, u32)]) -> (Timeline, impl Fn(u64) -> Instant) {
        let zero = Instant::now();
        let moment = move |ms| zero + Duration::from_millis(ms);
        let entries = entries.iter().map(|(ms, writer)| (moment(*ms), *writer)).collect();
        (Timeline { entries: Mutex::new(entries) }, moment)
    }

    fn gap(entries: &[(u64, u32)], from: u64, to: u64) -> (u128, u128) {
        let (timeline, moment) = timeline(entries);
        let gap = timeline.gap(moment(from), moment(to));
        (gap.application.as_millis(), gap.worst_writer.as_millis())
    }

    #[test]
    fn the_application_waits_only_while_every_writer_does() {
        let entries = [(0, 1), (10, 2), (20, 1), (50, 2), (60, 1)];
        assert_eq!(gap(&entries, 15, 55), (30, 40));
    }

    #[test]
    fn gaps_that_begin_before_or_end_after_the_range_count_whole() {
        assert_eq!(gap(&[(0, 1), (100, 1)], 40, 60), (100, 100));
    }

    #[test]
    fn gaps_outside_of_the_range_do_not_count() {
        assert_eq!(gap(&[(0, 1), (500, 1), (510, 1), (520, 1), (990, 1)], 505, 515), (10, 10));
    }

    #[test]
    fn without_acknowledgements_the_range_itself_is_the_gap() {
        assert_eq!(gap(&[], 10, 30), (20, 20));
        assert_eq!(gap(&[(5, 1)], 10, 30), (25, 25));
    }

    #[test]
    fn writers_are_counted_once_and_only_after_the_moment() {
        let (timeline, moment) = timeline(&[(0, 1), (10, 2), (20, 2), (30, 3)]);
        assert_eq!(timeline.writers_since(moment(5)), 2);
        assert_eq!(timeline.writers_since(moment(30)), 0);
    }
}
