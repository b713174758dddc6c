//! Spans of time in which a server was seen writable.

use std::{collections::BTreeMap, time::Instant};

use super::View;

/// One look: the value was taken at some moment between the two.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) sent: Instant,
    pub(super) received: Instant,
    pub(super) seen: Seen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Writable,
    Closed,
    Unknown,
}

/// Looks in a row, none of which saw the server closed.
///
/// It was writable from the receipt of the first to the sending of the last: to be closed and
/// opened again between two looks takes two switches, each much longer than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) first_sent: Instant,
    pub(super) first_received: Instant,
    pub(super) last_sent: Instant,
    pub(super) last_received: Instant,
}

impl Run {
    fn of(sample: Sample) -> Self {
        Self {
            first_sent: sample.sent,
            first_received: sample.received,
            last_sent: sample.sent,
            last_received: sample.received,
        }
    }

    /// A span in which both were writable for certain.
    pub(super) fn overlap(&self, other: &Self) -> Option<(Instant, Instant)> {
        let from = self.first_received.max(other.first_received);
        let until = self.last_sent.min(other.last_sent);
        if from <= until {
            return Some((from, until));
        }
        self.contains(other).or_else(|| other.contains(self))
    }

    /// A look of `other` lies whole within this run.
    fn contains(&self, other: &Self) -> Option<(Instant, Instant)> {
        let looks =
            [(other.first_sent, other.first_received), (other.last_sent, other.last_received)];
        looks
            .into_iter()
            .find(|(sent, received)| self.first_received <= *sent && *received <= self.last_sent)
    }
}

/// Everything that was seen.
#[derive(Debug, Default)]
pub(super) struct Runs {
    open: BTreeMap<(usize, View), Run>,
    ended: Vec<(usize, View, Run)>,
    closed: BTreeMap<usize, bool>,
    through_read_only: BTreeMap<usize, u64>,
    looks: BTreeMap<View, u64>,
    unknown: u64,
}

impl Runs {
    pub(super) fn record(&mut self, server: usize, view: View, sample: Sample) {
        self.count(view, sample.seen);
        if view == View::Variables && sample.seen != Seen::Unknown {
            self.closed.insert(server, sample.seen == Seen::Closed);
        }
        match sample.seen {
            Seen::Writable => {
                let run = self.open.entry((server, view)).or_insert_with(|| Run::of(sample));
                run.last_sent = sample.sent;
                run.last_received = sample.received;
            }
            // What cannot be seen may be anything, so it ends the certain span.
            Seen::Closed | Seen::Unknown => {
                if let Some(run) = self.open.remove(&(server, view)) {
                    self.ended.push((server, view, run));
                }
            }
        }
    }

    /// A write of the `GRANT ALL` user that went through `read_only`.
    pub(super) fn record_through_read_only(&mut self, server: usize, sample: Sample) {
        *self.through_read_only.entry(server).or_default() += 1;
        // The server is not open by this; a span in which it was ends here.
        self.record(server, View::GrantAll, Sample { seen: Seen::Closed, ..sample });
    }

    /// Whether the variables last said that the server is read-only.
    pub(super) fn is_closed(&self, server: usize) -> bool {
        self.closed.get(&server).copied().unwrap_or_default()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (usize, View, Run)> {
        let open = self.open.iter().map(|((server, view), run)| (*server, *view, *run));
        self.ended.iter().copied().chain(open)
    }

    pub(super) fn through_read_only(&self) -> impl Iterator<Item = (usize, u64)> {
        self.through_read_only.iter().map(|(server, count)| (*server, *count))
    }

    pub(super) fn looks(&self, view: View) -> u64 {
        self.looks.get(&view).copied().unwrap_or_default()
    }

    pub(super) fn unknown(&self) -> u64 {
        self.unknown
    }

    fn count(&mut self, view: View, seen: Seen) {
        *self.looks.entry(view).or_default() += 1;
        if seen == Seen::Unknown {
            self.unknown += 1;
        }
    }
}
