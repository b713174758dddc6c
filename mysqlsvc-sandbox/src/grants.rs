//! The SQL that makes the accounts and the schema `app`, outside the binary log.

use std::fmt::Write as _;

use crate::account::{Account, Accounts};

/// Rights of `dba` on MariaDB 10.6 and later, each statement of the monitor tried on 10.11 and 11.8.
const MARIADB_DBA: &str = "REPLICATION SLAVE ADMIN, REPLICATION MASTER ADMIN, READ ONLY ADMIN, \
     CONNECTION ADMIN, BINLOG MONITOR, SLAVE MONITOR, BINLOG ADMIN, BINLOG REPLAY, \
     REPLICATION SLAVE, EVENT, SET USER, PROCESS, RELOAD";

/// Statements for `mariadb-install-db --extra-file`, where grants are not loaded at first, and for
/// the `--init-file` of the first start in a container.
pub(crate) fn mariadb(accounts: &Accounts) -> String {
    let mut sql = String::from(
        "SET sql_log_bin = 0;\n\
         DELETE FROM mysql.global_priv WHERE User IN ('root', '');\n\
         DELETE FROM mysql.proxies_priv;\n\
         FLUSH PRIVILEGES;\n\
         CREATE DATABASE app CHARACTER SET utf8mb4;\n",
    );
    push_common(&mut sql, accounts);
    push_grant(&mut sql, MARIADB_DBA, "*.*", &accounts.dba);
    push_grant(&mut sql, "SELECT", "mysql.global_priv", &accounts.dba);
    push_grant(&mut sql, "REPLICATION SLAVE", "*.*", &accounts.repl);
    sql
}

fn push_common(sql: &mut String, accounts: &Accounts) {
    let Accounts { root, dba, repl, app, boss } = accounts;
    for account in [root, dba, repl, app, boss] {
        let _ = writeln!(
            sql,
            "CREATE USER '{}'@'%' IDENTIFIED BY '{}';",
            account.user,
            account.password.expose()
        );
    }
    let _ = writeln!(sql, "GRANT ALL PRIVILEGES ON *.* TO '{}'@'%' WITH GRANT OPTION;", root.user);
    push_grant(sql, "ALL PRIVILEGES", "*.*", boss);
    push_grant(sql, "CREATE, SELECT, INSERT, UPDATE, DELETE", "app.*", app);
}

fn push_grant(sql: &mut String, rights: &str, on: &str, to: &Account) {
    let _ = writeln!(sql, "GRANT {rights} ON {on} TO '{}'@'%';", to.user);
}

/// Rights of `dba` on MySQL 8.0.26 and later, each statement of the monitor tried on 9.7.
const MYSQL_DBA: &str = "PROCESS, RELOAD, REPLICATION CLIENT, REPLICATION SLAVE, EVENT";
const MYSQL_DBA_DYNAMIC: &str = "REPLICATION_SLAVE_ADMIN, SYSTEM_VARIABLES_ADMIN, \
     PERSIST_RO_VARIABLES_ADMIN, CONNECTION_ADMIN, SYSTEM_USER, XA_RECOVER_ADMIN, BACKUP_ADMIN, \
     CLONE_ADMIN";

/// Statements for the `--init-file` of the first start, when root has no password yet.
/// `version` is MySQL's.
pub(crate) fn mysql(accounts: &Accounts, version: &str) -> String {
    let mut sql = String::from(
        "SET sql_log_bin = 0;\n\
         CREATE DATABASE app CHARACTER SET utf8mb4;\n",
    );
    push_common(&mut sql, accounts);
    let dba = &accounts.dba;
    push_grant(&mut sql, MYSQL_DBA, "*.*", dba);
    push_grant(&mut sql, &format!("{MYSQL_DBA_DYNAMIC}, {}", definer_right(version)), "*.*", dba);
    for table in ["performance_schema.*", "mysql.user", "mysql.global_grants"] {
        push_grant(&mut sql, "SELECT", table, dba);
    }
    push_grant(&mut sql, "REPLICATION SLAVE", "*.*", &accounts.repl);
    push_grant(&mut sql, "BACKUP_ADMIN", "*.*", &accounts.repl);
    sql.push_str("DROP USER 'root'@'localhost';\n");
    sql
}

/// The right to keep another's DEFINER has had two names.
fn definer_right(version: &str) -> &'static str {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0_u32));
    let release = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if release >= (8, 2) { "SET_ANY_DEFINER" } else { "SET_USER_ID" }
}

#[cfg(test)]
mod tests {
    use super::definer_right;

    #[test]
    fn the_definer_right_follows_the_version() {
        assert_eq!(definer_right("8.0.40"), "SET_USER_ID");
        assert_eq!(definer_right("8.2.0"), "SET_ANY_DEFINER");
        assert_eq!(definer_right("8.4.3"), "SET_ANY_DEFINER");
        assert_eq!(definer_right("9.7.4"), "SET_ANY_DEFINER");
    }
}
