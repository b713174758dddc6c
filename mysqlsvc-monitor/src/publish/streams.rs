//! The streams over which proxies follow a route.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use super::lock;

/// What a proxy carries, as it says when it connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProxyMode {
    /// Connections to the master; these hold during a switch.
    Master,
    /// Connections to slaves.
    Slave,
}

/// A proxy with a live stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LiveProxy {
    /// How it calls itself.
    pub id: String,
    /// What it carries.
    pub mode: ProxyMode,
}

/// All live streams. A proxy that reconnects may have two for a moment.
#[derive(Debug, Default)]
pub(super) struct Streams {
    live: BTreeMap<u64, LiveProxy>,
    next: u64,
}

/// A live stream; it counts as ended when this is dropped.
#[derive(Debug)]
pub struct StreamGuard {
    streams: Arc<Mutex<Streams>>,
    number: u64,
}

impl Streams {
    pub(super) fn live(&self) -> impl Iterator<Item = &LiveProxy> {
        self.live.values()
    }

    /// The ids of the proxies that carry connections to the master.
    pub(super) fn masters(&self) -> BTreeSet<String> {
        let masters = self.live().filter(|proxy| proxy.mode == ProxyMode::Master);
        masters.map(|proxy| proxy.id.clone()).collect()
    }

    pub(super) fn has_master(&self, id: &str) -> bool {
        self.live().any(|proxy| proxy.mode == ProxyMode::Master && proxy.id == id)
    }
}

impl StreamGuard {
    pub(super) fn new(streams: &Arc<Mutex<Streams>>, proxy: LiveProxy) -> Self {
        let mut open = lock(streams);
        let number = open.next;
        open.next += 1;
        open.live.insert(number, proxy);
        drop(open);
        Self { streams: Arc::clone(streams), number }
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        lock(&self.streams).live.remove(&self.number);
    }
}
