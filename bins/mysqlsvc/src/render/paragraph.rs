//! Text of any length, within the width of the page.

use super::paint::{Paint, Tone};

/// Lays words out behind what stands on the line already (`begun`, so many columns wide), and
/// indents the lines after the first as far. A word is never broken: a GTID set is to be copied
/// whole. Ends with a line feed.
pub(super) fn paragraph(pieces: &[(Tone, &str)], begun: usize, paint: Paint) -> String {
    let room = paint.columns().map(|columns| columns.saturating_sub(begun).max(NARROWEST));
    let mut text = String::new();
    // What is on the line: its width, and the words of one tone that are not painted yet.
    let (mut width, mut run, mut tone) = (0, String::new(), Tone::Plain);
    for (next, word) in words(pieces) {
        let length = word.chars().count();
        let breaks = width > 0 && room.is_some_and(|room| width + 1 + length > room);
        if breaks || next != tone {
            text.push_str(&painted(&run, tone, paint));
            run.clear();
            tone = next;
        }
        if breaks {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', begun));
            width = 0;
        } else if width > 0 {
            let before = if run.is_empty() { &mut text } else { &mut run };
            before.push(' ');
            width += 1;
        }
        run.push_str(word);
        width += length;
    }
    text.push_str(&painted(&run, tone, paint));
    text.push('\n');
    text
}

/// A page narrower than this is not worth breaking lines for.
const NARROWEST: usize = 24;

fn words<'a>(pieces: &'a [(Tone, &'a str)]) -> impl Iterator<Item = (Tone, &'a str)> {
    pieces.iter().flat_map(|(tone, text)| text.split_whitespace().map(|word| (*tone, word)))
}

fn painted(run: &str, tone: Tone, paint: Paint) -> String {
    if run.is_empty() { String::new() } else { paint.text(tone, run) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_indented() {
        let paint = Paint::new(false).within(Some(29));
        let pieces = [(Tone::Plain, "wait until everything"), (Tone::Dim, "(at most 5 s)")];
        let text = format!("  1  {}", paragraph(&pieces, 5, paint));
        assert_eq!(text, "  1  wait until everything\n     (at most 5 s)\n");
        let whole = paragraph(&pieces, 5, Paint::new(false));
        assert_eq!(whole, "wait until everything (at most 5 s)\n");
    }

    #[test]
    fn each_line_has_its_own_colours_and_a_long_word_stays_whole() {
        let paint = Paint::new(true).within(Some(24));
        let set = "0-1-1,0-2-2,0-3-3,0-4-4,0-5-5";
        let pieces = [(Tone::Bad, "lost:"), (Tone::Bad, set), (Tone::Plain, "carry over")];
        let expected = format!("\x1b[31mlost:\x1b[0m\n\x1b[31m{set}\x1b[0m\ncarry over\n");
        assert_eq!(paragraph(&pieces, 0, paint), expected);
    }
}
