//! How a server is asked for what a freeze would wait for or break.

/// What one statement asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum ObstacleQuestion {
    /// Who is there, and what runs.
    Sessions,
    /// Open transactions that have written: `id`, `changed` rows, `age` in seconds.
    Transactions,
    /// What was prepared by XA, as `XA RECOVER` shows it.
    PreparedXa,
    /// Table locks: `id` of the session, `schema_name` and `table_name`, both NULL for all tables.
    TableLocks,
}

impl ObstacleQuestion {
    /// What cannot be seen where the answer is refused, and what mends that.
    pub(in super::super) fn unseen(self) -> &'static str {
        match self {
            Self::Sessions => "the sessions (GRANT PROCESS ON *.*)",
            Self::Transactions => "open transactions (GRANT PROCESS ON *.*)",
            Self::PreparedXa => "prepared XA transactions (GRANT XA_RECOVER_ADMIN ON *.*)",
            Self::TableLocks => "table locks (GRANT SELECT ON performance_schema.*)",
        }
    }
}

const SESSIONS: (ObstacleQuestion, &str) = (ObstacleQuestion::Sessions, "SHOW FULL PROCESSLIST");

/// InnoDB fills this table anew when nobody has read it for 0.1 s, and not before.
const TRANSACTIONS: (ObstacleQuestion, &str) = (
    ObstacleQuestion::Transactions,
    "SELECT trx_mysql_thread_id AS id, trx_rows_modified AS changed, \
     GREATEST(TIMESTAMPDIFF(SECOND, trx_started, NOW()), 0) AS age \
     FROM information_schema.INNODB_TRX WHERE trx_rows_modified > 0",
);

const PREPARED_XA: (ObstacleQuestion, &str) = (ObstacleQuestion::PreparedXa, "XA RECOVER");

/// What LOCK TABLES … WRITE and FLUSH TABLES WITH READ LOCK were seen to hold on 9.7; an INSERT
/// holds GLOBAL, too, but no table like this.
const TABLE_LOCKS: (ObstacleQuestion, &str) = (
    ObstacleQuestion::TableLocks,
    "SELECT t.PROCESSLIST_ID AS id, l.OBJECT_SCHEMA AS schema_name, l.OBJECT_NAME AS table_name \
     FROM performance_schema.metadata_locks l \
     JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID \
     WHERE l.LOCK_STATUS = 'GRANTED' \
     AND ((l.OBJECT_TYPE = 'TABLE' AND l.LOCK_TYPE = 'SHARED_NO_READ_WRITE') \
     OR (l.OBJECT_TYPE = 'GLOBAL' AND l.LOCK_TYPE = 'SHARED'))",
);

pub(super) const MYSQL: &[(ObstacleQuestion, &str)] =
    &[SESSIONS, TRANSACTIONS, PREPARED_XA, TABLE_LOCKS];

/// It shows nobody who holds LOCK TABLES unless a plugin is loaded.
pub(super) const MARIADB: &[(ObstacleQuestion, &str)] = &[SESSIONS, TRANSACTIONS, PREPARED_XA];
