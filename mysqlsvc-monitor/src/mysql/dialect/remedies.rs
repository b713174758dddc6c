//! Statements that are shown to an administrator, and never sent.

use mysqlsvc_core::{Flavor, ServerVersion};

use super::{Dialect, quoted};

impl Dialect {
    /// Sets a variable now. MySQL keeps it over a restart.
    pub(in super::super) fn set(self, variable: &str, value: &str) -> String {
        let scope = match self.flavor {
            Flavor::MySql => "PERSIST",
            Flavor::MariaDb => "GLOBAL",
        };
        let bare = value.parse::<f64>().is_ok() || matches!(value, "ON" | "OFF");
        let value = if bare { value.to_owned() } else { quoted(value) };
        format!("SET {scope} {variable} = {value}")
    }

    /// Whether [`Self::set`] lasts without a line in the option file.
    pub(in super::super) fn set_lasts(self) -> bool {
        self.flavor == Flavor::MySql
    }

    /// Stop and start of the thread that receives.
    pub(in super::super) fn around_receiving(self) -> [&'static str; 2] {
        match self.flavor {
            Flavor::MySql => {
                ["STOP REPLICA IO_THREAD FOR CHANNEL ''", "START REPLICA IO_THREAD FOR CHANNEL ''"]
            }
            Flavor::MariaDb => ["STOP SLAVE IO_THREAD", "START SLAVE IO_THREAD"],
        }
    }

    /// Stop and start of the threads that apply. MariaDB lets its appliers be set up only while
    /// nothing replicates.
    pub(in super::super) fn around_applying(self) -> [&'static str; 2] {
        match self.flavor {
            Flavor::MySql => [
                "STOP REPLICA SQL_THREAD FOR CHANNEL ''",
                "START REPLICA SQL_THREAD FOR CHANNEL ''",
            ],
            Flavor::MariaDb => [self.words().stop, self.words().start],
        }
    }

    /// Changes one setting of the replica's connection; the names are those without their prefix.
    pub(in super::super) fn change_source(self, setting: &str, value: &str) -> String {
        match self.flavor {
            Flavor::MySql => {
                format!("CHANGE REPLICATION SOURCE TO SOURCE_{setting} = {value} FOR CHANNEL ''")
            }
            Flavor::MariaDb => format!("CHANGE MASTER TO MASTER_{setting} = {value}"),
        }
    }

    /// Lets a source be asked by GTID.
    pub(in super::super) fn follow_by_gtid(self) -> String {
        match self.flavor {
            Flavor::MySql => self.change_source("AUTO_POSITION", "1"),
            Flavor::MariaDb => self.change_source("USE_GTID", "slave_pos"),
        }
    }

    /// Makes a replica refuse writes, for the flavour as strictly as it can.
    pub(in super::super) fn refuse_writes(self) -> &'static str {
        self.words().close
    }

    /// Makes an event rest while its server is a replica. Nothing else of it changes.
    pub(in super::super) fn rest_event(self, definer: &str, schema: &str, name: &str) -> String {
        let replica = match self.flavor {
            Flavor::MySql if self.version >= ServerVersion::new(8, 2, 0) => "REPLICA",
            _ => "SLAVE",
        };
        let (user, host) = definer.rsplit_once('@').unwrap_or((definer, "%"));
        format!(
            "ALTER DEFINER = {}@{} EVENT {}.{} DISABLE ON {replica}",
            quoted(user),
            quoted(host),
            identifier(schema),
            identifier(name)
        )
    }

    /// Gives a table a key of numbers that applications do not see.
    pub(in super::super) fn add_hidden_key(self, schema: &str, table: &str) -> String {
        // Each flavour takes the words in its own order only.
        let column = match self.flavor {
            Flavor::MySql => "BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY",
            Flavor::MariaDb => "BIGINT UNSIGNED NOT NULL INVISIBLE AUTO_INCREMENT PRIMARY KEY",
        };
        let (schema, table) = (identifier(schema), identifier(table));
        format!("ALTER TABLE {schema}.{table} ADD COLUMN my_row_id {column} FIRST")
    }
}

/// A name as a statement wants it.
fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
