//! Other accounts: the one that replicas log in with, and those that read_only does not stop.

use mysqlsvc_core::Flavor;

use super::{
    AdviceId::{ReplAccountMissing, ReplAccountUnseen, ReplGrantMissing, WritesThroughReadOnly},
    AdviceSeverity::{Error, Warning},
    Check, Fault, Remedy,
};
use crate::mysql::dialect::Dialect;

/// Else the account would be an errant transaction of each server's own.
const UNLOGGED: &str = "SET sql_log_bin = 0";

impl Check {
    /// Every server may become the master, and so needs the account that replicas use.
    pub(super) async fn repl_account(&mut self, user: &str) -> Result<(), Fault> {
        let text = self.lease.dialect().repl_account(user);
        let answer = match self.ask_if_allowed(&text).await? {
            Ok(answer) => answer,
            Err(said) => {
                self.find(
                    ReplAccountUnseen,
                    Warning,
                    format!("whether `{user}` exists and may replicate cannot be seen: {said}"),
                    "",
                    Remedy::default(),
                );
                return Ok(());
            }
        };
        let row = answer.row(0)?;
        let (accounts, able): (u64, u64) = (row.number("accounts")?, row.number("able")?);
        let grant = format!("GRANT REPLICATION SLAVE ON *.* TO '{user}'@'%'");
        let why = "no replica could follow this server";
        if accounts == 0 {
            let create = format!("CREATE USER '{user}'@'%' IDENTIFIED BY '…'");
            let remedy = Remedy::statements([UNLOGGED.to_owned(), create, grant]);
            self.find(
                ReplAccountMissing,
                Error,
                format!("there is no account `{user}`"),
                why,
                remedy,
            );
        } else if able == 0 {
            let remedy = Remedy::statements([UNLOGGED.to_owned(), grant]);
            self.find(
                ReplGrantMissing,
                Error,
                format!("`{user}` lacks REPLICATION SLAVE"),
                why,
                remedy,
            );
        }
        Ok(())
    }

    /// MariaDB before 12 has nothing that stops them; MySQL's super_read_only does.
    pub(super) async fn writers(&mut self, own: &str) -> Result<(), Fault> {
        if self.lease.dialect().flavor == Flavor::MySql {
            return Ok(());
        }
        let Ok(answer) = self.ask_if_allowed(Dialect::WRITERS_THROUGH_READ_ONLY).await? else {
            return Ok(());
        };
        let mut users: Vec<String> = answer
            .table(0)?
            .rows()
            .filter_map(|row| row.get("user"))
            .filter(|user| *user != own)
            .map(str::to_owned)
            .collect();
        users.sort();
        users.dedup();
        if !users.is_empty() {
            self.find(
                WritesThroughReadOnly,
                Warning,
                format!(
                    "read_only does not stop these accounts, which have READ ONLY ADMIN or SUPER: \
                     {}",
                    users.join(", ")
                ),
                "their sessions are ended at a switch, but a new one could still write",
                Remedy::note(
                    "REVOKE READ ONLY ADMIN, SUPER ON *.* from those that applications use",
                ),
            );
        }
        Ok(())
    }
}
