//! What keeps a server from being made a copy of another, or another from being made one of it.

use mysqlsvc_core::{
    Flavor,
    backend::{Finding, Severity},
};

use super::Check;
use crate::mysql::{copying::CopySettings, fault::Fault};

const ASK_PLUGIN: &str = "SELECT COUNT(*) AS active FROM information_schema.PLUGINS \
    WHERE PLUGIN_NAME = 'clone' AND PLUGIN_STATUS = 'ACTIVE'";

impl Check {
    pub(super) async fn copying(&mut self, settings: &CopySettings) -> Result<Vec<Finding>, Fault> {
        let missing = |id: &str, text: &str| {
            let (id, text) = (id.to_owned(), text.to_owned());
            vec![Finding { id, severity: Severity::Error, text }]
        };
        if self.dialect().flavor == Flavor::MariaDb {
            let configured = settings.backup.is_some() && settings.restore.is_some();
            return Ok(if configured {
                Vec::new()
            } else {
                missing(
                    "clone-not-configured",
                    "MariaDB is copied by commands, and none are configured; give backup and \
                     restore in [cluster.clone]",
                )
            });
        }
        let answer = self.ask(ASK_PLUGIN).await?;
        let active: u32 = answer.row(0)?.number("active")?;
        Ok(if active > 0 {
            Vec::new()
        } else {
            missing(
                "clone-plugin-missing",
                "the clone plugin is not active; INSTALL PLUGIN clone SONAME 'mysql_clone.so', \
                 under sql_log_bin = 0, on donor and recipient",
            )
        })
    }
}
