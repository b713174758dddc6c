//! What the program has to say of itself.

use super::{Paint, paint::Tone, paragraph::paragraph};

const NAME: &str = "mysqlsvc: ";

/// Why a command did not do what was asked, within the width of the page.
pub(crate) fn complaint(message: &str, columns: Option<usize>) -> String {
    let paint = Paint::new(false).within(columns);
    format!("{NAME}{}", paragraph(&[(Tone::Plain, message)], NAME.len(), paint))
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn words_are_not_broken_at_the_edge_of_the_page() {
        let said = "Not allowed now: a:3306 is DETACHED (wrong-state)";
        assert_eq!(complaint(said, None), format!("mysqlsvc: {said}\n"));
        assert_eq!(
            complaint(said, Some(40)),
            "mysqlsvc: Not allowed now: a:3306 is\n          DETACHED (wrong-state)\n"
        );
    }
}
