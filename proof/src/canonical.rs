//! When two states are the same: their text, with everything left out or renumbered by which
//! nothing is ever decided.
//!
//! The text is what `Debug` says, so nothing can be forgotten: a field that the engine gains
//! tomorrow is in it. What is changed in it, and why states that differ only there behave alike:
//!
//! - **Moments** are replaced by their place in the order of all moments of the state, and their
//!   age, cut off where the last limit lies that the engine holds an age against: what is decided
//!   is decided by order and by such limits, never by the clock itself. Some are held against an
//!   age only (when a replica was last seen to be OK). Some are held only against the beginning of
//!   a look: while none is under way, every look still to come begins later than all of them, and
//!   they are left out.
//! - **Numbers that only tell things apart** (calls, persists, sessions, rows, route versions) are
//!   replaced by their place among their kind: they are compared, never counted with. The counters
//!   that make them are left out: the next one is new, whatever it is.
//! - **Durations and calendar times** are left out: the engine records them and decides nothing by
//!   them; so are the moments from which durations are measured.
//! - **Texts** in quotes are left out: they are for people. Names of servers are not in quotes.
//! - **Attempts** are counted up to where neither pause nor patience changes any more.

use std::{
    fmt::{self, Debug, Write},
    hash::{DefaultHasher, Hash, Hasher},
};

use mysqlsvc_core::Now;

/// The model's clock begins here, in microseconds, so that a moment is told from a duration.
pub(crate) const DAWN: u64 = 1 << 50;
/// The engine compares ages with nothing longer than `max_read_lag`, 10 s, save the ten minutes
/// after which positions are written down; no run lasts that long.
const OLD: u64 = 11_000;
/// More attempts than this make no pause longer and no patience shorter.
const MANY: u64 = 12;

/// Kinds of numbers that only tell things apart.
const KINDS: [&str; 5] = ["RouteVersion", "CallId", "PersistTicket", "Row", "SessionId"];
/// What is kept of the moments in a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Nothing,
    Age,
    PlaceAndAge,
}

/// What the last word was that a number may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Micros,
    Kind(usize),
    Counter,
    Attempts,
    Other,
}

/// Where a number is to be put in once all are known.
struct Hole {
    at: usize,
    what: What,
    number: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Kind(usize),
    Moment,
    Age,
}

/// Takes the text of a state in pieces, as `Debug` writes it.
pub(crate) struct Canon {
    text: Vec<u8>,
    holes: Vec<Hole>,
    word: Word,
    quoted: bool,
    escaped: bool,
    depth: usize,
    /// The field whose moments are not kept whole: how deep it stands, and what is kept.
    field: Option<(usize, Keep)>,
    /// Whether a look is under way.
    looking: bool,
}

impl Canon {
    pub(crate) fn new(looking: bool) -> Self {
        Self {
            text: Vec::with_capacity(16 << 10),
            holes: Vec::new(),
            word: Word::Other,
            quoted: false,
            escaped: false,
            depth: 0,
            field: None,
            looking,
        }
    }

    /// Adds a part of the state.
    pub(crate) fn add(&mut self, part: &impl Debug) {
        // Nothing here fails.
        let _ = write!(self, "{part:?};");
    }

    /// The state's number: equal for equal states.
    pub(crate) fn finish(self, now: Now) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.text.hash(&mut hasher);
        let mut orders: Vec<Vec<u64>> = vec![Vec::new(); KINDS.len() + 1];
        for hole in &self.holes {
            if let Some(order) = hole.order() {
                orders[order].push(hole.number);
            }
        }
        for order in &mut orders {
            order.push(0);
            order.sort_unstable();
            order.dedup();
        }
        for hole in &self.holes {
            hole.at.hash(&mut hasher);
            if let Some(order) = hole.order() {
                orders[order].partition_point(|number| *number < hole.number).hash(&mut hasher);
            }
            if !matches!(hole.what, What::Kind(_)) {
                let (now, then) = (now.monotonic.0 / 1000, hole.number / 1000);
                (now.saturating_sub(then).min(OLD), then.saturating_sub(now)).hash(&mut hasher);
            }
        }
        hasher.finish()
    }

    fn word(&mut self, word: &str) {
        self.leave_field(word);
        if word != "(" && word != ": " {
            self.word = match word {
                "Micros" => Word::Micros,
                "attempts" => Word::Attempts,
                "next_row" | "next_session" | "last_call" | "last_ticket" => Word::Counter,
                _ => KINDS.iter().position(|kind| *kind == word).map_or(Word::Other, Word::Kind),
            };
            self.enter_field(word);
        }
        self.text.extend_from_slice(word.as_bytes());
    }

    fn enter_field(&mut self, name: &str) {
        let keep = match name {
            // From these a duration is measured for the record, or they say what the clock says.
            "sent" | "frozen_at" | "now" => Keep::Nothing,
            // These are held against the clock only.
            "confirmed" | "remembered" | "hold_until" | "pause_until" | "not_before" => Keep::Age,
            // These are held only against the beginning of a look that ends later.
            "since" | "ended" | "recent" | "unjudged" if !self.looking => Keep::Nothing,
            _ => return,
        };
        if self.field.is_none() {
            self.field = Some((self.depth, keep));
        }
    }

    /// A field ends where the next begins, or where that which has it ends.
    fn leave_field(&mut self, word: &str) {
        // Words are the longest pieces, and have no brackets.
        if word.len() > 4 {
            return;
        }
        for letter in word.bytes() {
            match letter {
                b'{' | b'(' | b'[' => self.depth += 1,
                b'}' | b')' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        let ends = |depth| self.depth < depth || (self.depth == depth && word == ", ");
        if self.field.is_some_and(|(depth, _)| ends(depth)) {
            self.field = None;
        }
    }

    fn number(&mut self, digits: &str, number: u64) {
        let at = self.text.len();
        let keep = self.field.map_or(Keep::PlaceAndAge, |(_, keep)| keep);
        match self.word {
            Word::Micros if number >= DAWN => match keep {
                Keep::Nothing => {}
                Keep::Age => self.holes.push(Hole { at, what: What::Age, number }),
                Keep::PlaceAndAge => self.holes.push(Hole { at, what: What::Moment, number }),
            },
            Word::Kind(kind) => self.holes.push(Hole { at, what: What::Kind(kind), number }),
            Word::Micros | Word::Counter => {}
            Word::Attempts => self.text.push(u8::try_from(number.min(MANY)).unwrap_or(u8::MAX)),
            Word::Other => self.text.extend_from_slice(digits.as_bytes()),
        }
        self.word = Word::Other;
    }
}

impl Hole {
    /// The order it has a place in: moments have one of their own, behind those of the kinds.
    fn order(&self) -> Option<usize> {
        match self.what {
            What::Kind(kind) => Some(kind),
            What::Moment => Some(KINDS.len()),
            What::Age => None,
        }
    }
}

impl Write for Canon {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.quoted {
            return Ok(());
        }
        let is_number = piece.as_bytes().first().is_some_and(u8::is_ascii_digit);
        match is_number.then(|| piece.parse::<u64>()) {
            Some(Ok(number)) => self.number(piece, number),
            _ => self.word(piece),
        }
        Ok(())
    }

    fn write_char(&mut self, letter: char) -> fmt::Result {
        match letter {
            _ if self.escaped => self.escaped = false,
            '\\' if self.quoted => self.escaped = true,
            '"' => self.quoted = !self.quoted,
            _ if self.quoted => {}
            other => return self.write_str(other.encode_utf8(&mut [0; 4])),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use mysqlsvc_core::{Micros, RouteVersion, WallTime, engine::CallId};

    use super::*;

    fn at(micros: u64) -> Now {
        Now { monotonic: Micros(DAWN + micros), wall: WallTime(0) }
    }

    fn number(part: &impl Debug, now: Now) -> u64 {
        let mut canon = Canon::new(true);
        canon.add(part);
        canon.finish(now)
    }

    #[test]
    fn what_decides_nothing_makes_no_difference() {
        let same = |one: &dyn Debug, other: &dyn Debug| {
            assert_eq!(number(&one, at(90)), number(&other, at(90)), "{one:?} {other:?}");
        };
        same(&(at(5), at(7)), &(at(1), at(70)));
        same(&(CallId(3), CallId(7), CallId(3)), &(CallId(1), CallId(2), CallId(1)));
        same(&("one \" text", 1), &("another", 1));
        same(&Micros(17), &Micros(18));
        same(&RouteVersion(5), &RouteVersion(10_001));
        assert_eq!(number(&at(5), at(90)), number(&at(60_000_005), at(60_000_090)));
        assert_eq!(number(&at(0), at(20_000_000)), number(&at(0), at(30_000_000)));
    }

    #[test]
    fn what_decides_makes_a_difference() {
        let differ = |one: &dyn Debug, other: &dyn Debug| {
            assert_ne!(number(&one, at(90)), number(&other, at(90)), "{one:?} {other:?}");
        };
        differ(&(at(5), at(7)), &(at(7), at(5)));
        differ(&(at(5), at(7)), &(at(5), at(5)));
        differ(&(CallId(3), CallId(3)), &(CallId(3), CallId(4)));
        differ(&(RouteVersion(1), RouteVersion(2)), &(RouteVersion(2), RouteVersion(1)));
        differ(&(CallId(1), 4), &(CallId(1), 5));
        assert_ne!(number(&at(0), at(2_000_000)), number(&at(0), at(3_000_000)));
    }
}
