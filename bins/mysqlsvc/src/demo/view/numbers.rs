//! Numbers for people.

use std::time::Duration;

/// With a thin gap between thousands.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Three digits or so that count.
pub(super) fn milliseconds(milliseconds: f64) -> String {
    if milliseconds < 9.95 {
        format!("{milliseconds:.1} ms")
    } else if milliseconds < 1_999.5 {
        format!("{milliseconds:.0} ms")
    } else {
        format!("{:.1} s", milliseconds / 1e3)
    }
}

pub(super) fn duration(duration: Duration) -> String {
    milliseconds(duration.as_secs_f64() * 1e3)
}

/// `1 row`, `2 rows`.
pub(super) fn of(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let texts = [0, 999, 1000, 1_234_567].map(count);
        assert_eq!(texts, ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
    }

    #[test]
    fn times_have_the_digits_that_count() {
        let texts = [0.04, 3.16, 9.96, 812.4, 12_345.0].map(milliseconds);
        assert_eq!(texts, ["0.0 ms", "3.2 ms", "10 ms", "812 ms", "12.3 s"]);
    }
}
