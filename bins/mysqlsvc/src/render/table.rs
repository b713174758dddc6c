//! Aligned columns.

use super::paint::{Paint, Tone};

/// One place of a table.
pub(super) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub(super) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone }
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::new(Tone::Plain, text)
    }

    /// A dash where there is nothing.
    pub(super) fn maybe(text: Option<impl Into<String>>) -> Self {
        match text {
            Some(text) => Self::plain(text),
            None => Self::new(Tone::Dim, "-"),
        }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// Lines of columns, two spaces apart, the head dimmed. Each ends with a line feed, without spaces
/// before it.
pub(super) fn table(head: &[&str], rows: Vec<Vec<Cell>>, paint: Paint) -> String {
    let head = head.iter().map(|title| Cell::new(Tone::Dim, *title)).collect();
    let all: Vec<_> = std::iter::once(head).chain(rows).collect();
    lines(&all, paint)
}

/// The same without a head.
pub(super) fn lines(rows: &[Vec<Cell>], paint: Paint) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(Cell::width).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let last = row.iter().rposition(|cell| !cell.text.is_empty());
        for (column, cell) in row.iter().enumerate().take(last.map_or(0, |last| last + 1)) {
            text.push_str(&paint.text(cell.tone, &cell.text));
            if Some(column) != last {
                let gap = widths.get(column).map_or(0, |width| width - cell.width()) + 2;
                text.extend(std::iter::repeat_n(' ', gap));
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_whatever_the_colours() {
        let rows = || {
            vec![
                vec![Cell::plain("a"), Cell::new(Tone::Good, "OK"), Cell::plain("")],
                vec![Cell::plain("bcd"), Cell::new(Tone::Bad, "ERROR"), Cell::plain("why")],
            ]
        };
        let plain = table(&["X", "STATE", "CAUSE"], rows(), Paint::new(false));
        assert_eq!(plain, "X    STATE  CAUSE\na    OK\nbcd  ERROR  why\n");
        let coloured = table(&["X", "STATE", "CAUSE"], rows(), Paint::new(true));
        assert!(coloured.contains("\x1b[31mERROR\x1b[0m  why"), "{coloured}");
    }
}
