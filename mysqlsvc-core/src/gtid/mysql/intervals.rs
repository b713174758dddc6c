//! Transaction numbers as intervals: one entry for a billion transactions in a row.

/// The largest transaction number MySQL takes: its end of an interval, one past the last number,
/// is a signed 64-bit number.
pub(super) const LARGEST_NUMBER: u64 = i64::MAX.unsigned_abs() - 1;

/// A set of transaction numbers from 1 to [`LARGEST_NUMBER`].
///
/// Invariant: `(first, last)` pairs in order, each with `first <= last`, no two overlapping or
/// touching, so that equal sets have equal representations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Intervals(Vec<(u64, u64)>);

impl Intervals {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().copied()
    }

    /// How many numbers, at most [`LARGEST_NUMBER`], as the intervals are disjoint.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|&(first, last)| last - first + 1).sum()
    }

    /// Adds `first..=last`; the caller has seen to it that they are in order and in range.
    pub(super) fn add(&mut self, first: u64, last: u64) {
        let begin = self.0.partition_point(|&(_, end)| end + 1 < first);
        let end = self.0.partition_point(|&(start, _)| start <= last + 1);
        let touched = self.0.get(begin..end).unwrap_or_default();
        let first = touched.first().map_or(first, |&(start, _)| start.min(first));
        let last = touched.last().map_or(last, |&(_, end)| end.max(last));
        self.0.splice(begin..end, [(first, last)]);
    }

    pub(super) fn contains(&self, other: &Self) -> bool {
        let mut own = self.0.iter().peekable();
        other.0.iter().all(|&(first, last)| {
            while own.next_if(|&&(_, end)| end < first).is_some() {}
            own.peek().is_some_and(|&&(start, end)| start <= first && last <= end)
        })
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        let mut rest = Vec::new();
        let mut holes = other.0.iter().peekable();
        for &(first, last) in &self.0 {
            let mut first = first;
            while holes.next_if(|&&(_, end)| end < first).is_some() {}
            while let Some(&&(start, end)) = holes.peek()
                && start <= last
            {
                if first < start {
                    rest.push((first, start - 1));
                }
                first = end + 1;
                if end > last {
                    // The hole may reach into the next interval, so it is not used up.
                    break;
                }
                holes.next();
            }
            if first <= last {
                rest.push((first, last));
            }
        }
        Self(rest)
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        let mut all = Vec::with_capacity(self.0.len() + other.0.len());
        all.extend_from_slice(&self.0);
        all.extend_from_slice(&other.0);
        Self::merged(all)
    }

    /// Of pairs in no order that may overlap; each is in order and in range itself.
    pub(super) fn merged(mut pairs: Vec<(u64, u64)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup_by(|&mut (first, last), (_, end)| {
            let touches = first <= *end + 1;
            if touches {
                *end = last.max(*end);
            }
            touches
        });
        Self(pairs)
    }
}
