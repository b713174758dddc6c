//! What the operator should know, though it is no reason to refuse.

use super::{
    paint::{Paint, Tone},
    paragraph::paragraph,
};

/// A line for each; what is true of several servers alike comes several times, and is said once.
pub(super) fn notes(warnings: &[String], paint: Paint) -> String {
    let mut text = String::new();
    for (place, warning) in warnings.iter().enumerate() {
        if !warnings[..place].contains(warning) {
            text.push_str(&paint.text(Tone::Uneasy, "Note: "));
            text.push_str(&paragraph(&[(Tone::Uneasy, warning)], "Note: ".len(), paint));
        }
    }
    text
}
