//! What a server answered to one text: tables of optional texts, read by column name.

use mysql_async::{Row, Value};

use super::fault::Fault;

/// The results of all statements of one text that gave any, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer(Vec<Table>);

impl Answer {
    pub(super) fn push(&mut self, table: Table) {
        self.0.push(table);
    }

    /// The table of the n-th statement that gave one.
    pub(super) fn table(&self, index: usize) -> Result<&Table, Fault> {
        self.0.get(index).ok_or_else(|| Fault::unreadable(format!("result {index} is missing")))
    }

    /// The only row of the n-th table.
    pub(super) fn row(&self, index: usize) -> Result<Record<'_>, Fault> {
        let empty = || Fault::unreadable(format!("result {index} has no row"));
        self.table(index)?.rows().next().ok_or_else(empty)
    }

    /// The first row of each table that has any.
    pub(super) fn first_rows(&self) -> impl Iterator<Item = Record<'_>> {
        self.0.iter().filter_map(|table| table.rows().next())
    }

    /// The row of the last table.
    pub(super) fn last_row(&self) -> Result<Record<'_>, Fault> {
        self.row(self.0.len().saturating_sub(1))
    }
}

/// One result set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Table {
    columns: Vec<String>,
    cells: Vec<Vec<Option<String>>>,
}

impl Table {
    pub(super) fn new(columns: Vec<String>, rows: Vec<Row>) -> Self {
        let cells = rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect());
        Self { columns, cells: cells.collect() }
    }

    #[cfg(test)]
    pub(super) fn of_lines(lines: &[&str]) -> Self {
        let cells = lines.iter().map(|line| vec![Some((*line).to_owned())]).collect();
        Self { columns: vec!["line".to_owned()], cells }
    }

    #[cfg(test)]
    pub(super) fn of_columns(columns: &[&str], rows: &[&[&str]]) -> Self {
        let row = |row: &&[&str]| row.iter().map(|cell| Some((*cell).to_owned())).collect();
        Self {
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            cells: rows.iter().map(row).collect(),
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Record<'_>> {
        self.cells.iter().map(|cells| Record { columns: &self.columns, cells })
    }
}

/// The text protocol gives bytes; anything else is shown as it would be written.
fn text(value: Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        other => Some(other.as_sql(true)),
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    columns: &'a [String],
    cells: &'a [Option<String>],
}

impl<'a> Record<'a> {
    /// The text in a column; none if it is NULL or there is no such column.
    pub(super) fn get(self, column: &str) -> Option<&'a str> {
        let index = self.columns.iter().position(|name| name.eq_ignore_ascii_case(column))?;
        self.cells.get(index)?.as_deref()
    }

    /// The text in the first column, whose name may be anything.
    pub(super) fn first(self) -> Option<&'a str> {
        self.cells.first()?.as_deref()
    }

    /// The text in a column that must have one.
    pub(super) fn text(self, column: &str) -> Result<&'a str, Fault> {
        self.get(column).ok_or_else(|| Fault::unreadable(format!("column {column} is missing")))
    }

    /// The number in a column that must have one.
    pub(super) fn number<T: std::str::FromStr>(self, column: &str) -> Result<T, Fault> {
        let text = self.text(column)?;
        text.parse()
            .map_err(|_| Fault::unreadable(format!("column {column} holds `{text}`, no number")))
    }
}
