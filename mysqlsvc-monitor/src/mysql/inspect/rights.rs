//! The rights of our own account, from SHOW GRANTS, which knows of roles.

use std::collections::BTreeSet;

use super::{AdviceId, AdviceSeverity, Check, Fault, Remedy};
use crate::mysql::answer::{Record, Table};

impl Check {
    pub(super) async fn rights(&mut self) -> Result<(), Fault> {
        let dialect = self.lease.dialect();
        let answer =
            match self.ask_if_allowed("SHOW GRANTS; SELECT CURRENT_USER() AS account").await? {
                Ok(answer) => answer,
                Err(said) => {
                    self.find(
                        AdviceId::GrantsUnseen,
                        AdviceSeverity::Warning,
                        format!("our own rights cannot be seen: {said}"),
                        "",
                        Remedy::default(),
                    );
                    return Ok(());
                }
            };
        let granted = granted_everywhere(answer.table(0)?);
        if granted.contains("ALL PRIVILEGES") {
            return Ok(());
        }
        let account = answer.row(1)?.text("account")?.to_owned();
        let has_super = granted.contains("SUPER");
        for right in dialect.rights() {
            let covered = has_super && dialect.super_covers(right.name);
            if !covered && !granted.contains(&plain(right.name)) {
                let account = quoted_account(&account);
                let grant = format!("GRANT {} ON *.* TO {account}", right.name);
                self.find(
                    AdviceId::GrantMissing,
                    right.severity.into(),
                    format!("{account} lacks {}, {}", right.name, right.why),
                    "",
                    Remedy::statements(["SET sql_log_bin = 0".to_owned(), grant]),
                );
            }
        }
        Ok(())
    }
}

/// Rights that hold in all schemas. What stands behind `ON` is not looked at, nor shown: MariaDB
/// puts password hashes there.
fn granted_everywhere(grants: &Table) -> BTreeSet<String> {
    let mut granted = BTreeSet::new();
    for line in grants.rows().filter_map(Record::first) {
        let everywhere =
            line.strip_prefix("GRANT ").and_then(|rest| rest.split_once(" ON *.* TO "));
        if let Some((rights, _)) = everywhere {
            granted.extend(rights.split(',').map(|right| plain(right.trim())));
        }
    }
    granted
}

/// MariaDB writes READ_ONLY ADMIN and takes READ ONLY ADMIN.
fn plain(right: &str) -> String {
    right.to_ascii_uppercase().replace('_', " ")
}

/// `user@host` as a statement wants it.
fn quoted_account(account: &str) -> String {
    match account.rsplit_once('@') {
        Some((user, host)) => format!("'{user}'@'{host}'"),
        None => format!("'{account}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rights_on_everything_count_and_no_hash_is_kept() {
        let lines = [
            "GRANT RELOAD, READ_ONLY ADMIN ON *.* TO `dba`@`%` IDENTIFIED BY PASSWORD '*9B7D'",
            "GRANT SELECT ON `mysql`.`global_priv` TO `dba`@`%`",
            "GRANT `watcher` TO `dba`@`%`",
        ];
        let granted = granted_everywhere(&Table::of_lines(&lines));
        let expected = BTreeSet::from(["RELOAD".to_owned(), "READ ONLY ADMIN".to_owned()]);
        assert_eq!(granted, expected);
        assert!(granted.contains(&plain("READ ONLY ADMIN")));
    }
}
