//! Colours, few of them, and lines cut to a width.

/// How words stand out, or not at all, and how much room there is.
#[derive(Debug, Clone, Copy)]
pub(in crate::demo) struct Style {
    colour: bool,
    columns: usize,
}

impl Style {
    pub(in crate::demo) fn new(colour: bool, columns: usize) -> Self {
        Self { colour, columns }
    }

    /// Width of a line.
    pub(in crate::demo) fn columns(self) -> usize {
        self.columns
    }

    pub(in crate::demo) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(in crate::demo) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// As it should be.
    pub(in crate::demo) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Under way, or to be watched.
    pub(in crate::demo) fn busy(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// As it must not be.
    pub(in crate::demo) fn bad(self, text: &str) -> String {
        self.paint("31;1", text)
    }

    /// To be typed or opened.
    pub(in crate::demo) fn link(self, text: &str) -> String {
        self.paint("36", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Columns that a line with colours in it takes.
pub(in crate::demo) fn width(line: &str) -> usize {
    let mut rest = line.chars();
    let mut width = 0;
    while let Some(character) = rest.next() {
        if character == '\x1b' {
            rest.by_ref().find(char::is_ascii_alphabetic);
        } else {
            width += 1;
        }
    }
    width
}

/// Cuts a line with colours in it to so many columns.
pub(in crate::demo) fn fit(line: &str, columns: usize) -> String {
    let mut fitted = String::new();
    let mut used = 0;
    let mut rest = line.chars();
    while let Some(character) = rest.next() {
        fitted.push(character);
        if character == '\x1b' {
            for code in rest.by_ref() {
                fitted.push(code);
                if code.is_ascii_alphabetic() {
                    break;
                }
            }
            continue;
        }
        used += 1;
        if used > columns {
            fitted.pop();
            fitted.pop();
            fitted.push_str("…\x1b[0m");
            break;
        }
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_take_no_column() {
        let line = Style::new(true, 80).good("abc");
        assert_eq!(fit(&line, 3), line);
        assert_eq!(width(&line), 3);
    }

    #[test]
    fn a_longer_line_is_cut_and_its_colour_ends() {
        assert_eq!(fit("abcdef", 4), "abc…\x1b[0m");
        assert_eq!(fit("\x1b[2mabcdef", 3), "\x1b[2mab…\x1b[0m");
        assert_eq!(fit("abcd", 4), "abcd");
    }

    #[test]
    fn without_colour_nothing_is_added() {
        assert_eq!(Style::new(false, 80).bad("x"), "x");
    }
}
