//! The texts that need no arguments, per flavour.

/// Fixed statement texts of one flavour. Those that change a server are sent through
/// [`super::tagged`].
#[derive(Debug)]
pub(in super::super) struct Words {
    /// One row: identity, read-only, executed set.
    pub(in super::super) facts: &'static str,
    /// One row: whether `read_only` was set while the server ran (`by_statement`). MySQL: needs
    /// SELECT on performance_schema.
    pub(in super::super) read_only_set: &'static str,
    /// The state of replication, one row a channel.
    pub(in super::super) status: &'static str,
    /// One row: whom the server lets write.
    pub(in super::super) read_back: &'static str,
    /// One row: what the server has executed.
    pub(in super::super) executed: &'static str,
    /// All sessions, with their whole statements.
    pub(in super::super) sessions: &'static str,
    /// Stops both replication threads.
    pub(in super::super) stop: &'static str,
    /// Starts both.
    pub(in super::super) start: &'static str,
    /// Ends receiving, and keeps the relay log.
    ///
    /// MariaDB: the I/O thread alone, while the SQL thread runs. MySQL: both at once, since an
    /// applier that the I/O thread leaves in the middle of a transaction waits up to 60 s for
    /// the rest of it before it stops.
    pub(in super::super) stop_receiving: &'static str,
    /// Takes that back.
    pub(in super::super) start_receiving: &'static str,
    /// Ends receiving alone, for a moment.
    pub(in super::super) stop_io: &'static str,
    /// Takes that back.
    pub(in super::super) start_io: &'static str,
    /// Forgets the source, both threads being stopped.
    pub(in super::super) forget: &'static [&'static str],
    /// Lets nobody write, as far as the flavour can.
    pub(in super::super) close: &'static str,
    /// Lets everybody write.
    pub(in super::super) open: &'static str,
    /// Lets a replica notice within 2 s that its source is gone (server-facts 2).
    pub(in super::super) net_timeout: &'static str,
    /// One row: settings of the replica's connection that [`Self::status`] does not show.
    pub(in super::super) channel: &'static str,
    /// One row: what the binary log no longer holds. MariaDB keeps no such set, but where its
    /// oldest log begins.
    pub(in super::super) purged: Purged,
}

/// How to learn what a server's binary log no longer holds.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Purged {
    /// This text says it.
    Said(&'static str),
    /// This text lists the logs, oldest first; the position at the beginning of that one is it.
    BeforeOldest(&'static str),
}

/// A text as an SQL string, under `sql_mode` without NO_BACKSLASH_ESCAPES.
pub(in super::super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for letter in text.chars() {
        match letter {
            '\'' => quoted.push_str("''"),
            '\\' => quoted.push_str("\\\\"),
            '\0' => quoted.push_str("\\0"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quotes_and_backslashes_stay_inside_the_string() {
        assert_eq!(quoted(r"it's a \ mark"), r"'it''s a \\ mark'");
    }
}
