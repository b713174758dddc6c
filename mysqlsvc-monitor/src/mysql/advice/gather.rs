//! Reads the facts of a server. What our account may not see is left out, not an error.

use mysqlsvc_core::{GtidSet, LookError, Millis, NodeId};
use tokio::time::Instant;

use super::{Advisor, EnabledEvent, Facts, Few, ServerSettings, TableName, Timing, Variables};
use crate::mysql::{
    MySqlBackend,
    answer::{Answer, Record},
    dialect::Dialect,
    fault::Fault,
    inspect::Check,
};

#[async_trait::async_trait]
impl Advisor for MySqlBackend {
    /// In a session of its own, which ends with it: those that a switch wants to find warm stay
    /// where they are. Its limit is that of an inspection.
    async fn facts(&self, node: &NodeId) -> Result<Facts, LookError> {
        let deadline = Instant::now() + self.limits.action;
        self.facts_until(node, deadline).await.map_err(|fault| self.look_error(fault))
    }
}

impl MySqlBackend {
    async fn facts_until(&self, node: &NodeId, deadline: Instant) -> Result<Facts, Fault> {
        let lease = self.pool.lease_new(node, deadline).await?;
        let mut check = Check::new(lease, deadline);
        let dialect = check.dialect();
        let words = dialect.words();
        // Position and received set together, for they are compared.
        let mut text = format!("{}; {}", words.facts, words.status);
        if dialect.by_position {
            text = format!("{text}; {}", dialect.log_end());
        }
        let look = check.ask(&text).await?;
        let row = look.row(0)?;
        let executed = if dialect.by_position {
            let of_source = GtidSet::Positions(Dialect::executed_of_source(look.table(1)?)?);
            // So that its replicas can be held against it.
            match Dialect::place(look.table(2)?)? {
                Some(_) => of_source.union(&Dialect::own_log(row, look.table(2)?)?),
                None => of_source,
            }
        } else {
            dialect.executed(row)?
        };
        let settings = settings(&mut check).await?;
        let facts = Facts {
            executed,
            replication: dialect.replication(look.table(1)?)?,
            channel: dialect.channel(look.table(1)?, heartbeat(&mut check).await?),
            timing: timing(&mut check).await?,
            state_in_innodb: state_in_innodb(&mut check).await?,
            tables_without_key: tables_without_key(&mut check).await?,
            events: events(&mut check).await?,
            ..Facts::of(settings.flavor, settings.version)
        };
        check.beyond_settings(dialect.identity(row)?, &self.credentials).await?;
        let inspected = check.into_advice();
        Ok(Facts { settings, inspected, ..facts })
    }
}

/// All variables, and where the value of `read_only` comes from.
pub(in super::super) async fn settings(check: &mut Check) -> Result<ServerSettings, Fault> {
    let Dialect { flavor, version, .. } = check.dialect();
    let answer = check.ask(Dialect::VARIABLES).await?;
    let rows = answer.table(0)?.rows();
    let variables: Variables =
        rows.filter_map(|row| Some((row.get("Variable_name")?, row.get("Value")?))).collect();
    let at_boot = check.read_only_at_boot().await?;
    Ok(ServerSettings { flavor, version, variables, at_boot })
}

async fn heartbeat(check: &mut Check) -> Result<Option<f64>, Fault> {
    let text = check.dialect().words().channel;
    Ok(rows(check.ask_if_allowed(text).await?, |row| row.get("heartbeat")?.parse().ok()).next())
}

async fn timing(check: &mut Check) -> Result<Timing, Fault> {
    let Some(text) = check.dialect().timing() else { return Ok(Timing::default()) };
    let read = |row: Record<'_>| {
        let time = |column| {
            let microseconds: i64 = row.get(column)?.parse().ok()?;
            // Below zero where the clocks differ.
            Some(Millis(u64::try_from(microseconds).unwrap_or_default() / 1000))
        };
        let sending = time("sending").max(time("sent"));
        Some(Timing { sending, whole: time("applying").or_else(|| time("applied")) })
    };
    Ok(rows(check.ask_if_allowed(text).await?, read).next().unwrap_or_default())
}

async fn state_in_innodb(check: &mut Check) -> Result<Option<bool>, Fault> {
    let Some(text) = check.dialect().replication_state() else { return Ok(None) };
    let answer = check.ask_if_allowed(text).await?;
    Ok(rows(answer, |row| Some(row.get("tables")? != "0")).next())
}

async fn tables_without_key(check: &mut Check) -> Result<Few<TableName>, Fault> {
    let text = check.dialect().tables_without_key();
    let mut tables: Vec<TableName> =
        rows(check.ask_if_allowed(&text).await?, |row| table_name(row.get("name")?)).collect();
    // Each partition is a table of InnoDB's.
    tables.dedup();
    Ok(tables.into_iter().collect())
}

async fn events(check: &mut Check) -> Result<Few<EnabledEvent>, Fault> {
    let answer = check.ask_if_allowed(&Dialect::enabled_events()).await?;
    let read = |row: Record<'_>| {
        Some(EnabledEvent {
            schema: row.get("event_schema")?.to_owned(),
            name: row.get("event_name")?.to_owned(),
            definer: row.get("definer")?.to_owned(),
        })
    };
    Ok(rows(answer, read).collect())
}

/// What can be read of the rows of an answer; nothing of a refused one.
fn rows<T>(
    answer: Result<Answer, String>,
    read: impl Fn(Record<'_>) -> Option<T>,
) -> impl Iterator<Item = T> {
    let answer = answer.unwrap_or_default();
    let found: Vec<T> =
        answer.table(0).map(|table| table.rows().filter_map(read).collect()).unwrap_or_default();
    found.into_iter()
}

/// `app/t#p#p0`, as InnoDB names a table or partition in the file system.
fn table_name(name: &str) -> Option<TableName> {
    let (schema, table) = name.split_once('/')?;
    let partition = table.to_ascii_lowercase().find("#p#").unwrap_or(table.len());
    Some(TableName { schema: decoded(schema), table: decoded(&table[..partition]) })
}

/// A name out of the form that file names have: `@` and four hexadecimal digits for each letter
/// that a file name may not have. The few that have shorter forms stay as they are.
fn decoded(name: &str) -> String {
    let mut parts = name.split('@');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let letter = part.get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        if let Some(letter) = letter.and_then(char::from_u32) {
            plain.push(letter);
            plain.push_str(&part[4..]);
        } else {
            plain.push('@');
            plain.push_str(part);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_become_names_of_tables() {
        let named = |name: &str| table_name(name).map(|one| (one.schema, one.table));
        let expected = |schema: &str, table: &str| Some((schema.to_owned(), table.to_owned()));
        assert_eq!(named("app/t"), expected("app", "t"));
        assert_eq!(named("app/t#P#p0#SP#s1"), expected("app", "t"));
        assert_eq!(named("my@002dapp/a@0020b@0060"), expected("my-app", "a b`"));
        assert_eq!(named("app/gr@1g"), expected("app", "gr@1g"));
        assert_eq!(named("ibdata"), None);
    }
}
