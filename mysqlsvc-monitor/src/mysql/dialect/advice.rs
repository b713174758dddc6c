//! What is asked of a server to give advice, per flavour. Each text is one statement.

use mysqlsvc_core::Flavor;

use super::{Dialect, Table, status};
use crate::mysql::advice::Channel;

/// How long the catalogue may be searched, in seconds; what it found by then is not told.
/// Servers with a hundred thousand tables are there.
const SEARCH: u32 = 1;

/// One more than is shown, to know whether there are more.
const FEW: usize = 11;

/// How long transactions took: one row of microseconds.
const MYSQL_TIMING: &str = "SELECT \
    (SELECT TIMESTAMPDIFF(MICROSECOND, NULLIF(LAST_QUEUED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP, 0), \
        LAST_QUEUED_TRANSACTION_END_QUEUE_TIMESTAMP) \
     FROM performance_schema.replication_connection_status WHERE CHANNEL_NAME = '') AS sent, \
    (SELECT TIMESTAMPDIFF(MICROSECOND, NULLIF(QUEUEING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP, 0), \
        NOW(6)) \
     FROM performance_schema.replication_connection_status WHERE CHANNEL_NAME = '') AS sending, \
    (SELECT TIMESTAMPDIFF(MICROSECOND, \
        NULLIF(LAST_APPLIED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP, 0), \
        LAST_APPLIED_TRANSACTION_END_APPLY_TIMESTAMP) \
     FROM performance_schema.replication_applier_status_by_worker WHERE CHANNEL_NAME = '' \
     ORDER BY LAST_APPLIED_TRANSACTION_END_APPLY_TIMESTAMP DESC LIMIT 1) AS applied, \
    (SELECT TIMESTAMPDIFF(MICROSECOND, \
        MIN(NULLIF(APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP, 0)), NOW(6)) \
     FROM performance_schema.replication_applier_status_by_worker WHERE CHANNEL_NAME = '') \
     AS applying";

/// Where MariaDB keeps a replica's position: InnoDB's tables of that name.
const MARIADB_STATE: &str = "SELECT COUNT(*) AS tables FROM information_schema.INNODB_SYS_TABLES \
    WHERE NAME LIKE 'mysql/gtid\\_slave\\_pos%'";

impl Dialect {
    /// All global variables.
    pub(in super::super) const VARIABLES: &'static str = "SHOW GLOBAL VARIABLES";

    /// The time transactions took on their way; none where the server keeps no record.
    pub(in super::super) fn timing(self) -> Option<&'static str> {
        (self.flavor == Flavor::MySql).then_some(MYSQL_TIMING)
    }

    /// One row, `tables`: none kept in InnoDB is bad. MySQL has a variable for it.
    pub(in super::super) fn replication_state(self) -> Option<&'static str> {
        (self.flavor == Flavor::MariaDb).then_some(MARIADB_STATE)
    }

    /// Tables that InnoDB had to give a hidden key, since they have none of their own. The other
    /// catalogue shows only tables that our account may read.
    pub(in super::super) fn tables_without_key(self) -> String {
        let (limit, hint, prefix) = match self.flavor {
            Flavor::MySql => {
                (String::new(), format!("/*+ MAX_EXECUTION_TIME({}) */ ", SEARCH * 1000), "INNODB_")
            }
            Flavor::MariaDb => (
                format!("SET STATEMENT max_statement_time = {SEARCH} FOR "),
                String::new(),
                "INNODB_SYS_",
            ),
        };
        format!(
            "{limit}SELECT {hint}t.NAME AS name FROM information_schema.{prefix}INDEXES i \
             JOIN information_schema.{prefix}TABLES t ON t.TABLE_ID = i.TABLE_ID \
             WHERE i.NAME = 'GEN_CLUST_INDEX' AND t.NAME NOT LIKE 'mysql/%' \
             AND t.NAME NOT LIKE 'sys/%' AND t.NAME NOT LIKE '%/#sql%' \
             AND t.NAME NOT LIKE '%/FTS\\_%' ORDER BY t.NAME LIMIT {FEW}"
        )
    }

    /// Events that run while the scheduler does.
    pub(in super::super) fn enabled_events() -> String {
        format!(
            "SELECT EVENT_SCHEMA AS event_schema, EVENT_NAME AS event_name, DEFINER AS definer \
             FROM information_schema.EVENTS WHERE STATUS = 'ENABLED' \
             ORDER BY EVENT_SCHEMA, EVENT_NAME LIMIT {FEW}"
        )
    }

    /// How the unnamed channel is set up, from [`super::Words::status`] and what
    /// [`super::Words::channel`] says beside it.
    pub(in super::super) fn channel(
        self,
        status: &Table,
        heartbeat: Option<f64>,
    ) -> Option<Channel> {
        let row = status::unnamed_channel(status)?;
        let by_gtid = match self.flavor {
            Flavor::MySql => row.get("Auto_Position") == Some("1"),
            Flavor::MariaDb => {
                row.get("Using_Gtid").is_some_and(|how| how.eq_ignore_ascii_case("Slave_Pos"))
            }
        };
        Some(Channel {
            by_gtid,
            heartbeat,
            retries: row.get("Source_Retry_Count").and_then(|count| count.parse().ok()),
            delay: row.get("SQL_Delay").and_then(|delay| delay.parse().ok()).unwrap_or_default(),
        })
    }
}
