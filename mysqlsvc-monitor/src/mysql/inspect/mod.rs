//! What registering checks beyond a look: settings, rights, accounts, what would filter or forget.
//!
//! Settings are judged by the rules of [`super::advice`](super), rights, accounts and filters here;
//! advice on a running cluster takes over what is found here. The names of findings are those of
//! [`AdviceId`].

mod accounts;
mod boot;
mod copying;
mod replication;
mod rights;
mod standing;

use mysqlsvc_core::{GtidSet, Identity, NodeId, backend::Inspection};
use tokio::time::Instant;

use super::{
    Credentials, MySqlBackend,
    advice::{self, Advice, AdviceId, AdviceSeverity, Remedy},
    answer::Answer,
    dialect::{Dialect, Purged},
    fault::Fault,
    pool::Lease,
};

impl MySqlBackend {
    pub(super) async fn inspect_until(
        &self,
        node: &NodeId,
        deadline: Instant,
    ) -> Result<Inspection, Fault> {
        let probe = self.look_until(node, deadline.min(Instant::now() + self.limits.look)).await?;
        let lease = self.pool.lease(node, deadline).await?;
        let mut check = Check::new(lease, deadline);
        let settings = advice::settings(&mut check).await?;
        check.found = advice::demanded(&settings);
        check.beyond_settings(probe.identity, &self.credentials).await?;
        let purged = check.purged().await?;
        let obstacles = check.obstacles(self.own_users()).await?;
        let events = check.events().await?;
        let copying = check.copying(&self.copy_settings).await?;
        let Check { lease, found, .. } = check;
        lease.give_back();
        let findings = found.iter().filter_map(Advice::to_finding).collect();
        Ok(Inspection { probe, purged, findings, obstacles, events, copying })
    }
}

/// An inspection under way.
#[derive(Debug)]
pub(super) struct Check {
    lease: Lease,
    deadline: Instant,
    found: Vec<Advice>,
}

impl Check {
    pub(super) fn new(lease: Lease, deadline: Instant) -> Self {
        Self { lease, deadline, found: Vec::new() }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.lease.dialect()
    }

    /// What was found; the session ends.
    pub(super) fn into_advice(self) -> Vec<Advice> {
        self.found
    }

    /// Everything that variables do not tell: version, rights, accounts, filters, channels.
    pub(super) async fn beyond_settings(
        &mut self,
        identity: Identity,
        credentials: &Credentials,
    ) -> Result<(), Fault> {
        self.version();
        if identity.server_id == 0 {
            self.find(
                AdviceId::ServerIdZero,
                AdviceSeverity::Error,
                "server_id is 0",
                "it can neither replicate nor be replicated from",
                Remedy::at_start(["server_id=N"]).minding("N differs on every server"),
            );
        }
        self.rights().await?;
        self.repl_account(&credentials.repl.user).await?;
        self.writers(&credentials.dba.user).await?;
        self.filters_and_channels().await
    }

    fn find(
        &mut self,
        id: AdviceId,
        severity: AdviceSeverity,
        seen: impl Into<String>,
        why: impl Into<String>,
        remedy: Remedy,
    ) {
        self.found.push(Advice::new(id, severity, seen, why, remedy));
    }

    pub(super) async fn ask(&mut self, text: &str) -> Result<Answer, Fault> {
        self.lease.run(text, self.deadline).await
    }

    /// The answer, or the server's no to our asking.
    pub(super) async fn ask_if_allowed(
        &mut self,
        text: &str,
    ) -> Result<Result<Answer, String>, Fault> {
        match self.ask(text).await {
            Ok(answer) => Ok(Ok(answer)),
            Err(fault @ Fault::Server { .. }) if !fault.ended_session() => {
                Ok(Err(fault.to_string()))
            }
            Err(fault) => Err(fault),
        }
    }

    fn version(&mut self) {
        let dialect = self.lease.dialect();
        if !dialect.is_tested() {
            self.find(
                AdviceId::VersionUntested,
                AdviceSeverity::Warning,
                format!(
                    "{} {} is newer than what this program was tested with (MySQL 9.7, MariaDB \
                     11.8)",
                    dialect.flavor, dialect.version
                ),
                "",
                Remedy::note("try a switch on a copy first"),
            );
        }
    }

    async fn purged(&mut self) -> Result<Option<GtidSet>, Fault> {
        let dialect = self.lease.dialect();
        if dialect.by_position {
            return self.purged_places().await;
        }
        let answer = match dialect.words().purged {
            Purged::Said(text) => self.ask(text).await?,
            Purged::BeforeOldest(list) => {
                // Without a binary log there is nothing to follow, which is said elsewhere.
                let Ok(logs) = self.ask_if_allowed(list).await? else { return Ok(None) };
                let Ok(oldest) = logs.row(0).and_then(|row| row.text("Log_name")) else {
                    return Ok(None);
                };
                let text = Dialect::position_before(oldest);
                self.ask(&text).await?
            }
        };
        dialect.gtids(answer.row(0)?.text("purged")?).map(Some)
    }

    /// By position: its own log up to the first file that it still has.
    async fn purged_places(&mut self) -> Result<Option<GtidSet>, Fault> {
        let Ok(logs) = self.ask_if_allowed(Dialect::OWN_LOGS).await? else { return Ok(None) };
        Dialect::purged_places(&logs).map(Some)
    }
}
