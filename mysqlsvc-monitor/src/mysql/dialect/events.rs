//! Scheduled events: which there are, and switching them on and off with their definers kept.

use mysqlsvc_core::backend::EventName;

use super::{Fault, Table};

/// One row for each event; our account sees those that it may change.
pub(in super::super) const EVENT_STATES: &str = "SELECT EVENT_SCHEMA AS event_schema, \
    EVENT_NAME AS event_name, STATUS AS status, DEFINER AS definer \
    FROM information_schema.EVENTS";

/// An event as it stands on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct EventState {
    pub(in super::super) name: EventName,
    /// `ENABLED`, `DISABLED`, or the server's word for disabled on a replica.
    pub(in super::super) status: String,
    definer: String,
}

/// What to make of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum EventSwitch {
    /// It runs here; on replicas the same statement marks it as running elsewhere.
    Enable,
    /// It runs elsewhere.
    DisableOnReplica,
}

impl EventState {
    /// From the answer to [`EVENT_STATES`].
    pub(in super::super) fn read_all(table: &Table) -> Result<Vec<Self>, Fault> {
        let read = |row: super::Record<'_>| {
            Ok(Self {
                name: EventName {
                    schema: row.text("event_schema")?.to_owned(),
                    name: row.text("event_name")?.to_owned(),
                },
                status: row.text("status")?.to_owned(),
                definer: row.text("definer")?.to_owned(),
            })
        };
        table.rows().map(read).collect()
    }

    pub(in super::super) fn is_enabled(&self) -> bool {
        self.status == "ENABLED"
    }

    /// The statement. Without DEFINER the account that sends it would become the definer
    /// (server-facts 2). The event's `sql_mode` and time zone stay as they are.
    pub(in super::super) fn switch(&self, to: EventSwitch) -> String {
        let definer = match self.definer.rsplit_once('@') {
            Some((user, host)) => format!("{}@{}", quoted_name(user), quoted_name(host)),
            None => quoted_name(&self.definer),
        };
        let to = match to {
            EventSwitch::Enable => "ENABLE",
            // MySQL's newer words are not MariaDB's, and MySQL is not told to.
            EventSwitch::DisableOnReplica => "DISABLE ON SLAVE",
        };
        let EventName { schema, name } = &self.name;
        format!(
            "ALTER DEFINER = {definer} EVENT {}.{} {to}",
            quoted_name(schema),
            quoted_name(name)
        )
    }
}

/// A name as SQL wants it.
fn quoted_name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_definer_are_quoted() {
        let name = EventName { schema: "a`b".to_owned(), name: "c d".to_owned() };
        let definer = "u@v@10.%".to_owned();
        let event = EventState { name, status: "DISABLED".to_owned(), definer };
        assert_eq!(
            event.switch(EventSwitch::Enable),
            "ALTER DEFINER = `u@v`@`10.%` EVENT `a``b`.`c d` ENABLE"
        );
    }
}
