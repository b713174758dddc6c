//! A cluster of three, with an application that writes through its proxy all the time.

use std::time::{Duration, Instant};

use mysqlsvc_http::wire::{ClusterDocument, NodeState, OperationDocument, OperationOutcome};
use mysqlsvc_rig::{Checker, WriterOptions, Writers};
use mysqlsvc_tests::{
    Api, Bed, LIMIT, Servers,
    api::{CLUSTER, find},
    eventually,
};

/// How often a server is looked at before it is believed that the monitor leaves it alone.
const LOOKS: usize = 4;

pub(crate) struct Scene {
    pub(crate) bed: Bed,
    pub(crate) writers: Writers,
    checker: Checker,
}

impl Scene {
    pub(crate) async fn of(bed: Bed) -> Self {
        let options = WriterOptions { writers: 3, pause: Bed::PAUSE, ..WriterOptions::default() };
        let writers = Writers::start(&bed.through_proxy(), options);
        let checker = Checker::start(&bed.sandbox, Duration::from_millis(10), None);
        let scene = Self { bed, writers, checker };
        scene.application_goes_on().await;
        scene
    }

    pub(crate) fn api(&self) -> Api {
        self.bed.api()
    }

    pub(crate) fn servers(&self) -> Servers<'_> {
        self.bed.servers()
    }

    pub(crate) fn address(&self, server: usize) -> String {
        self.bed.address(server)
    }

    /// Every writer gets a row acknowledged from now on.
    pub(crate) async fn application_goes_on(&self) {
        let goes_on = self.writers.all_wrote_since(Instant::now(), LIMIT).await;
        assert!(goes_on, "the application stands still: {:?}", self.writers.errors());
    }

    /// All is well again.
    pub(crate) async fn settles(&self) -> ClusterDocument {
        let settled = self.api().until_settled().await;
        self.application_goes_on().await;
        settled
    }

    pub(crate) async fn until_state(&self, server: usize, state: NodeState, cause: &str) {
        let what = format!("server {server} {state} ({cause})");
        self.api()
            .until_node(&self.address(server), &what, |node| {
                node.state == state && node.cause.clone().unwrap_or_default().contains(cause)
            })
            .await;
    }

    pub(crate) async fn until_alarm(&self, id: &str) -> String {
        let seen = |now: &ClusterDocument| now.alarms.iter().any(|alarm| alarm.id == id);
        let cluster = self.api().until(&format!("alarm {id}"), seen).await;
        cluster.alarms.into_iter().find(|alarm| alarm.id == id).unwrap().text
    }

    pub(crate) async fn until_no_alarm(&self) {
        self.api().until("no alarm", |now| now.alarms.is_empty()).await;
    }

    /// A server is looked at some times more.
    pub(crate) async fn looks(&self, server: usize) {
        let address = self.address(server);
        let looked_at = async || {
            let cluster = self.api().cluster().await;
            find(&cluster, &address).and_then(|node| node.probed_at.clone())
        };
        for _ in 0..LOOKS {
            let last = looked_at().await;
            eventually("another look", async || (looked_at().await != last).then_some(())).await;
        }
    }

    /// The operations so far, newest first.
    pub(crate) async fn operations(&self) -> Vec<OperationDocument> {
        self.api().client().operations(CLUSTER).await.unwrap()
    }

    /// The next operation of that kind after so many of any kind; it is the monitor's own, and
    /// succeeds.
    pub(crate) async fn until_monitor_did(&self, kind: &str, before: usize) {
        let operation = eventually(&format!("{kind} by the monitor"), async || {
            let operations = self.operations().await;
            let new = operations.len().saturating_sub(before);
            let found = operations.into_iter().take(new).find(|one| one.kind == kind);
            found.filter(|one| one.outcome.is_final())
        })
        .await;
        assert_eq!(operation.outcome, OperationOutcome::Succeeded, "{operation:#?}");
        assert_eq!(operation.who.as_deref(), Some("monitor"), "{operation:#?}");
    }

    /// The application ends, and every row that it was told of is on every server.
    pub(crate) async fn loses_nothing(self, master: usize) {
        let Self { bed, writers, checker } = self;
        bed.api().until_settled().await;
        assert_eq!(bed.servers().writable().await, [master]);
        let errors = writers.errors();
        let ledger = writers.stop().await;
        let report = checker.stop().await;
        println!("{} rows, {} in doubt; {errors:?}", ledger.acknowledged(), ledger.ambiguous());
        assert!(report.overlaps.is_empty(), "two writable servers: {:?}", report.overlaps);
        assert!(ledger.acknowledged() > 0 && report.looks > 0);
        let others = bed.others(master);
        for audit in ledger.audit_all(&bed.direct(master), &others, LIMIT).await.unwrap() {
            assert!(audit.lost.is_empty(), "lost on {}: {:?}", audit.address, audit.lost);
            assert!(audit.unexpected.is_empty(), "{audit:?}");
        }
        bed.down().await;
    }
}
