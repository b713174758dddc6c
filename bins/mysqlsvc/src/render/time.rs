//! Lengths of time, as short as they can be told.

use mysqlsvc_http::wire::ForecastCause;

/// `0 ms`, `12.3 ms`, `450 ms`, `12.3 s`.
pub(super) fn length(milliseconds: f64) -> String {
    match milliseconds {
        none if none < 0.05 => "0 ms".to_owned(),
        short if short < 100.0 => format!("{short:.1} ms"),
        middle if middle < 10_000.0 => format!("{middle:.0} ms"),
        long => format!("{:.1} s", long / 1000.0),
    }
}

/// The same of whole milliseconds.
pub(super) fn whole(milliseconds: u64) -> String {
    match milliseconds {
        short if short < 10_000 => format!("{short} ms"),
        // Tenths of a second are enough here.
        long => format!("{}.{} s", long / 1000, long % 1000 / 100),
    }
}

/// What a forecast is made of, in brackets.
pub(super) fn forecast(causes: &[ForecastCause]) -> String {
    let causes: Vec<_> =
        causes.iter().map(|cause| format!("{}: {}", cause.what, whole(cause.ms))).collect();
    if causes.is_empty() { String::new() } else { format!(" ({})", causes.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_keep_three_digits() {
        assert_eq!((length(0.0), length(0.04)), ("0 ms".to_owned(), "0 ms".to_owned()));
        assert_eq!(length(12.345), "12.3 ms");
        assert_eq!(length(450.4), "450 ms");
        assert_eq!(length(12_345.0), "12.3 s");
        assert_eq!((whole(5), whole(61_250)), ("5 ms".to_owned(), "61.2 s".to_owned()));
    }
}
