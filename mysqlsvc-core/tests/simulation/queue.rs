//! What is going to happen, by the time of the model.

use std::collections::BTreeMap;

use mysqlsvc_core::Micros;

/// Things to come, the soonest first; of two at the same time the one that was put in first.
#[derive(Debug)]
pub struct Queue<T> {
    due: BTreeMap<(Micros, u64), T>,
    put_in: u64,
}

impl<T> Queue<T> {
    pub fn new() -> Self {
        Self { due: BTreeMap::new(), put_in: 0 }
    }

    pub fn put(&mut self, at: Micros, what: T) {
        self.put_in += 1;
        self.due.insert((at, self.put_in), what);
    }

    /// When the next one comes.
    pub fn next_at(&self) -> Option<Micros> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    pub fn pop(&mut self) -> Option<(Micros, T)> {
        self.due.pop_first().map(|((at, _), what)| (at, what))
    }

    /// Takes all out that fit, in order.
    pub fn take(&mut self, mut fit: impl FnMut(&T) -> bool) -> Vec<T> {
        self.due.extract_if(.., |_, what| fit(what)).map(|(_, what)| what).collect()
    }
}
