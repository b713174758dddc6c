//! Every difference between flavours and versions, in one place: statement texts, column names,
//! how values are written. The rest of the backend knows only [`Dialect`].

mod advice;
mod events;
mod fence;
mod mariadb;
mod mysql;
mod obstacles;
mod positions;
mod remedies;
mod requirements;
mod semi_sync;
mod status;
mod words;

use mysqlsvc_core::{
    Flavor, GtidSet, Identity, NodeId, ReadOnly, Replication, ServerVersion, Tag, gtid::Coordinate,
};

pub(super) use self::{
    events::{EVENT_STATES, EventState, EventSwitch},
    fence::{ASK_CLOCK, CLOCK, FENCE, fence},
    obstacles::ObstacleQuestion,
    positions::{FILL_GAPS, GAPS, Seen},
    requirements::Right,
    semi_sync::{SemiSync, SemiSyncNames},
    words::{Purged, Words, quoted},
};
use super::{
    answer::{Answer, Record, Table},
    credentials::Login,
    fault::Fault,
};

/// What every session is given first. Settings of an administrator's liking must not change what
/// our texts mean (`sql_mode`), nor end our waits early. MariaDB skips comments of MySQL 5.7 to 9,
/// MySQL skips those that begin with `M!`.
pub(super) const SESSION_SETUP: &str = "SET SESSION autocommit = 1, sql_mode = '', \
    wait_timeout = 28800, lock_wait_timeout = 2\
    /*M!100600 , max_statement_time = 0 *//*!80026 , max_execution_time = 0 */; \
    SELECT @@version AS version, @@version_comment AS comment, @@timestamp AS server_clock\
    /*!80026 , @@global.gtid_mode AS gtid_mode */";

/// Seconds between two signs of life of an idle source, as [`Dialect::follow`] sets it.
const HEARTBEAT: f64 = 0.5;

const MYSQL_FIRST: ServerVersion = ServerVersion::new(8, 0, 26);
const MYSQL_TESTED_BELOW: ServerVersion = ServerVersion::new(9, 8, 0);
const MYSQL_UNKNOWN_FROM: ServerVersion = ServerVersion::new(10, 0, 0);
const MARIADB_FIRST: ServerVersion = ServerVersion::new(10, 6, 0);
const MARIADB_TESTED_BELOW: ServerVersion = ServerVersion::new(11, 9, 0);
const MARIADB_UNKNOWN_FROM: ServerVersion = ServerVersion::new(13, 0, 0);

/// How to talk to one server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    pub(super) flavor: Flavor,
    pub(super) version: ServerVersion,
    /// MySQL whose own transactions get no GTIDs: what it has executed is told by positions.
    pub(super) by_position: bool,
}

impl Dialect {
    /// From the answer to [`SESSION_SETUP`].
    pub(super) fn from_answer(answer: &Answer) -> Result<Self, Fault> {
        let row = answer.row(0)?;
        let found = Self::detect(row.text("version")?, row.get("comment").unwrap_or_default())?;
        Ok(Self { by_position: Self::is_by_position(row.get("gtid_mode")), ..found })
    }

    /// What a `gtid_mode` means; MariaDB has none, and always GTIDs. Under OFF_PERMISSIVE new
    /// transactions have none either.
    pub(super) fn is_by_position(gtid_mode: Option<&str>) -> bool {
        gtid_mode.is_some_and(|mode| matches!(mode, "OFF" | "OFF_PERMISSIVE"))
    }

    fn detect(version: &str, comment: &str) -> Result<Self, Fault> {
        let unsupported = |why: &str| Fault::Unsupported {
            detail: format!(
                "server version `{version}` {why}; supported are MySQL {MYSQL_FIRST} to 9.7 and \
                 MariaDB 10.6 to 11.8"
            ),
        };
        let is_mariadb =
            [version, comment].iter().any(|text| text.to_ascii_lowercase().contains("mariadb"));
        let number: ServerVersion = version.parse().map_err(|_| unsupported("cannot be read"))?;
        let (flavor, first, unknown) = if is_mariadb {
            (Flavor::MariaDb, MARIADB_FIRST, MARIADB_UNKNOWN_FROM)
        } else {
            (Flavor::MySql, MYSQL_FIRST, MYSQL_UNKNOWN_FROM)
        };
        if number < first {
            return Err(unsupported("is too old"));
        }
        if number >= unknown {
            return Err(unsupported("is not known"));
        }
        Ok(Self { flavor, version: number, by_position: false })
    }

    /// Whether this version is one that we were tested with, or older.
    pub(super) fn is_tested(self) -> bool {
        self.version
            < match self.flavor {
                Flavor::MySql => MYSQL_TESTED_BELOW,
                Flavor::MariaDb => MARIADB_TESTED_BELOW,
            }
    }

    /// The fixed texts.
    pub(super) fn words(self) -> &'static Words {
        match self.flavor {
            Flavor::MySql => &mysql::WORDS,
            Flavor::MariaDb => &mariadb::WORDS,
        }
    }

    /// Which server it is, from a row of [`Words::facts`].
    pub(super) fn identity(self, row: Record<'_>) -> Result<Identity, Fault> {
        let server_uuid = match self.flavor {
            Flavor::MariaDb => None,
            Flavor::MySql => Some(status::uuid(row.text("server_uuid")?)?),
        };
        Ok(Identity { server_id: row.number("server_id")?, server_uuid })
    }

    /// Whom it lets write, from a row of [`Words::read_back`] or [`Words::facts`].
    pub(super) fn read_only(self, row: Record<'_>) -> Result<ReadOnly, Fault> {
        let is_on = |text: &str| !matches!(text, "0" | "OFF");
        let read_only = row.text("read_only")?;
        let is_super = match self.flavor {
            Flavor::MySql => is_on(row.text("super_read_only")?),
            // From MariaDB 12 on the variable has words for values.
            Flavor::MariaDb => read_only == "NO_LOCK_NO_ADMIN",
        };
        Ok(match (is_super, is_on(read_only)) {
            (true, _) => ReadOnly::Super,
            (false, true) => ReadOnly::On,
            (false, false) => ReadOnly::Off,
        })
    }

    /// What [`Words::close`] leads to.
    pub(super) fn closed(self) -> ReadOnly {
        match self.flavor {
            Flavor::MySql => ReadOnly::Super,
            Flavor::MariaDb => ReadOnly::On,
        }
    }

    /// All that it has executed, from a row of [`Words::executed`] or [`Words::facts`]; with GTIDs.
    pub(super) fn executed(self, row: Record<'_>) -> Result<GtidSet, Fault> {
        match self.flavor {
            Flavor::MySql => self.gtids(row.text("executed")?),
            Flavor::MariaDb => {
                let written = self.gtids(row.get("binlog_state").unwrap_or_default())?;
                Ok(written.union(&self.gtids(row.get("slave_pos").unwrap_or_default())?))
            }
        }
    }

    /// What it has handed out and not counted as executed yet, from a row of [`Words::facts`].
    pub(super) fn committing(self, row: Record<'_>) -> Result<GtidSet, Fault> {
        self.gtids(&without_owners(row.get("owned").unwrap_or_default()))
    }

    /// Reads a set as this server writes it.
    pub(super) fn gtids(self, text: &str) -> Result<GtidSet, Fault> {
        GtidSet::parse(self.flavor, text).map_err(|error| Fault::unreadable(error.to_string()))
    }

    /// The unnamed channel's replication, from [`Words::status`].
    pub(super) fn replication(self, status: &Table) -> Result<Option<Replication>, Fault> {
        status::replication(self, status)
    }

    /// Whether a replica's settings are those that [`Self::follow`] gives it, as far as
    /// [`Words::status`] shows them.
    pub(super) fn follows_as_told(self, status: &Table) -> bool {
        let wanted: &[(&str, &str)] = match self.flavor {
            Flavor::MySql if self.by_position => {
                &[("Auto_Position", "0"), ("Connect_Retry", "1"), ("Source_Retry_Count", "0")]
            }
            Flavor::MySql => {
                &[("Auto_Position", "1"), ("Connect_Retry", "1"), ("Source_Retry_Count", "0")]
            }
            Flavor::MariaDb => &[("Using_Gtid", "Slave_Pos"), ("Connect_Retry", "1")],
        };
        status::unnamed_channel(status).is_some_and(|row| {
            wanted.iter().all(|(column, value)| {
                row.get(column).is_some_and(|seen| seen.eq_ignore_ascii_case(value))
            })
        })
    }

    /// The same for what [`Words::channel`] shows. What it does not is taken to be as told.
    pub(super) fn beats_as_told(channel: &Table) -> bool {
        let heartbeat = channel.rows().find_map(|row| row.get("heartbeat")?.parse::<f64>().ok());
        heartbeat.is_none_or(|seconds| (seconds - HEARTBEAT).abs() < 0.001)
    }

    /// One row: the position at which a binary log begins.
    pub(super) fn position_before(log: &str) -> String {
        mariadb::position_before(log)
    }

    /// Waits in the server until it has executed a set, for at most `seconds`; none where it has
    /// nothing to wait for, or no time: to MySQL 0 s mean for ever. What the wait says is of no
    /// account: [`Words::executed`] tells.
    pub(super) fn wait(position: &GtidSet, seconds: f64) -> Option<String> {
        match position {
            _ if position.is_empty() || seconds < 0.001 => None,
            GtidSet::MySql(set) => Some(mysql::wait(set, seconds)),
            GtidSet::MariaDb(set) => Some(mariadb::wait(set, seconds)),
            // What to wait for is one place in it, by the source.
            GtidSet::Positions(_) => None,
        }
    }

    /// What makes transactions that the server wrote itself part of its position as a replica;
    /// none where they are already.
    pub(super) fn take_over_position(self) -> Option<&'static str> {
        match self.flavor {
            Flavor::MySql => None,
            Flavor::MariaDb => Some(mariadb::TAKE_OVER_POSITION),
        }
    }

    /// Statements that turn a stopped server into a replica of `source`, started, in order; by
    /// position from this place in the source's log on.
    pub(super) fn follow(
        self,
        source: &NodeId,
        repl: &Login,
        from: Option<&Coordinate>,
    ) -> Vec<String> {
        match self.flavor {
            Flavor::MySql => mysql::follow(source, repl, from),
            Flavor::MariaDb => mariadb::follow(source, repl),
        }
    }

    /// By position: statements that let a stopped replica go on with the source that it has, where
    /// it is, with our settings.
    pub(super) fn go_on(repl: &Login) -> Vec<String> {
        mysql::go_on(repl)
    }

    /// MariaDB: one row for each account or role that may write through `read_only`.
    pub(super) const WRITERS_THROUGH_READ_ONLY: &'static str = mariadb::WRITERS;

    /// What a freeze would wait for or break: the questions in the order to ask them.
    pub(super) fn obstacle_questions(self) -> &'static [(ObstacleQuestion, &'static str)] {
        match self.flavor {
            Flavor::MySql => obstacles::MYSQL,
            Flavor::MariaDb => obstacles::MARIADB,
        }
    }

    /// MySQL: one row for each lock that keeps `super_read_only` waiting.
    pub(super) const LOCK_HOLDERS: &'static str = mysql::LOCK_HOLDERS;

    /// What our account needs.
    pub(super) fn rights(self) -> Vec<Right> {
        requirements::rights(self.flavor, self.version)
    }

    /// Whether an account with SUPER has this right as well.
    pub(super) fn super_covers(self, right: &str) -> bool {
        requirements::super_covers(self.flavor, self.version, right)
    }

    /// One row: where the value of `read_only` comes from.
    pub(super) fn read_only_at_boot(self) -> &'static str {
        match self.flavor {
            Flavor::MySql => requirements::MYSQL_BOOT,
            Flavor::MariaDb => requirements::MARIADB_BOOT,
        }
    }

    /// One row: accounts of that name, and how many of them are able to replicate.
    pub(super) fn repl_account(self, user: &str) -> String {
        requirements::repl_account(self.flavor, &quoted(user))
    }

    /// One row: the binary log with its filters.
    pub(super) fn binlog_status(self) -> &'static str {
        requirements::binlog_status(self.flavor, self.version)
    }

    /// All replication channels, and the column with their names.
    pub(super) fn channels(self) -> (&'static str, &'static str) {
        requirements::channels(self.flavor)
    }

    /// The statement that ends a session.
    pub(super) fn kill(self, id: u64) -> String {
        match self.flavor {
            Flavor::MySql => format!("KILL CONNECTION {id}"),
            Flavor::MariaDb => format!("KILL HARD CONNECTION {id}"),
        }
    }
}

/// `gtid_owned` names behind each transaction the threads that own it, as `uuid:23#7#8:24#9`.
fn without_owners(owned: &str) -> String {
    let mut gtids = owned.split('#');
    let first = gtids.next().unwrap_or_default().to_owned();
    gtids.fold(first, |gtids, owner| gtids + owner.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// Statements as one text, each with the tag in front where a look at the process list finds it.
pub(super) fn tagged<S: AsRef<str>>(tag: &Tag, statements: &[S]) -> String {
    let tagged = |statement: &S| format!("/* {} */ {}", tag.as_str(), statement.as_ref());
    statements.iter().map(tagged).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(version: &str, comment: &str) -> Option<(Flavor, bool)> {
        Dialect::detect(version, comment).ok().map(|dialect| (dialect.flavor, dialect.is_tested()))
    }

    #[test]
    fn flavour_and_support_are_told_from_version_and_comment() {
        for (version, comment, expected) in [
            ("8.0.26", "MySQL Community Server", Some((Flavor::MySql, true))),
            ("9.7.4", "(Debian)", Some((Flavor::MySql, true))),
            ("8.0.36-28.1", "Percona Server", Some((Flavor::MySql, true))),
            ("9.9.0", "", Some((Flavor::MySql, false))),
            ("10.11.19-MariaDB-0+deb12u1-log", "Debian 12", Some((Flavor::MariaDb, true))),
            ("11.8.2", "mariadb.org binary distribution", Some((Flavor::MariaDb, true))),
            ("12.1.0-MariaDB", "", Some((Flavor::MariaDb, false))),
            ("8.0.25", "", None),
            ("8.0.11-TiDB-v7.5.0", "TiDB", None),
            ("10.5.9-MariaDB", "", None),
            ("10.0.0", "MySQL", None),
            ("mystery", "", None),
        ] {
            assert_eq!(detected(version, comment), expected, "{version}");
        }
    }

    #[test]
    fn what_is_owned_is_read_without_its_owners() {
        let [one, two] =
            ["3e11fa47-71ca-11e1-9e33-c80aa9429562", "4e11fa47-71ca-11e1-9e33-c80aa9429562"];
        let owned = format!("{one}:23#13#14:25#7,\n{two}:1#9");
        let dialect = Dialect { flavor: Flavor::MySql, version: MYSQL_FIRST, by_position: false };
        let expected = dialect.gtids(&format!("{one}:23:25,{two}:1")).unwrap();
        assert_eq!(dialect.gtids(&without_owners(&owned)).unwrap(), expected);
        assert!(dialect.gtids(&without_owners("")).unwrap().is_empty());
    }

    #[test]
    fn what_is_refused_names_what_is_supported() {
        let said = Dialect::detect("5.7.44", "").unwrap_err().to_string();
        assert!(said.contains("5.7.44") && said.contains("8.0.26"), "{said}");
    }
}
