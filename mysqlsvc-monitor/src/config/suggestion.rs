//! What someone may have meant by a name that is not known.

/// The known name nearest to `given`, if it is near enough to be meant.
pub(super) fn nearest<'k>(given: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|name| (distance(given, name), *name))
        .filter(|(distance, name)| *distance <= name.chars().count().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many characters must be put in, taken out or replaced to make one name of the other
/// (Levenshtein), `-` and `_` being the same.
fn distance(left: &str, right: &str) -> usize {
    let canonical = |text: &str| -> Vec<char> {
        text.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
    };
    let (left, right) = (canonical(left), canonical(right));
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, from) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_understood_and_a_stranger_is_not() {
        let known = ["http", "max_lag", "max_read_lag"];
        assert_eq!(nearest("htpp", &known), Some("http"));
        assert_eq!(nearest("max-lag", &known), Some("max_lag"));
        assert_eq!(nearest("maxlag", &known), Some("max_lag"));
        assert_eq!(nearest("colour", &known), None);
    }
}
