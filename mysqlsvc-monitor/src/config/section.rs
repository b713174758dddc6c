//! Reading a TOML table key by key, so that every key that nobody asked for can be named.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    problem::{Place, Problems},
    suggestion::nearest,
};

/// A table of the file, or one that is not there and so leaves everything at its default.
#[derive(Debug)]
pub(super) struct Section<'t> {
    name: &'static str,
    table: Option<&'t DeTable<'t>>,
    place: Place,
    known: Vec<&'static str>,
}

/// A value, and where it was given.
#[derive(Debug, Clone)]
pub(super) struct Given<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

impl<'t> Section<'t> {
    /// `name` is how the section is called in messages, `[monitor]`.
    pub(super) fn new(name: &'static str, table: &'t DeTable<'t>, place: Place) -> Self {
        Self { name, table: Some(table), place, known: Vec::new() }
    }

    /// Where the section begins.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether the file has it.
    pub(super) fn is_given(&self) -> bool {
        self.table.is_some()
    }

    /// The raw value of a key, which from now on is a known one.
    pub(super) fn raw(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.known.push(key);
        find(self.table?, key).map(|(_, value)| value)
    }

    /// The value of a key, as `convert` understands it.
    pub(super) fn read<T>(
        &mut self,
        problems: &mut Problems<'_>,
        key: &'static str,
        convert: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<Given<T>> {
        let raw = self.raw(key)?;
        let place = problems.at(&raw.span());
        match convert(raw.get_ref()) {
            Ok(value) => Some(Given { value, place }),
            Err(message) => {
                problems.add(place, format!("{key}: {message}"));
                None
            }
        }
    }

    /// The value of a key, or `default`.
    pub(super) fn read_or<T>(
        &mut self,
        problems: &mut Problems<'_>,
        key: &'static str,
        default: T,
        convert: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> T {
        self.read(problems, key, convert).map_or(default, |given| given.value)
    }

    /// The table under a key; an empty one where there is none.
    pub(super) fn section(
        &mut self,
        problems: &mut Problems<'_>,
        key: &'static str,
        name: &'static str,
    ) -> Section<'t> {
        let empty = |place| Section { name, table: None, place, known: Vec::new() };
        let Some(raw) = self.raw(key) else { return empty(self.place.clone()) };
        let place = problems.at(&raw.span());
        if let DeValue::Table(table) = raw.get_ref() {
            return Section::new(name, table, place);
        }
        let found = raw.get_ref().type_str();
        problems.add(place.clone(), format!("{key}: expected a table {name}, found {found}"));
        empty(place)
    }

    /// Says of a key that it is understood, and that nothing is behind it yet.
    pub(super) fn not_yet(&mut self, problems: &mut Problems<'_>, key: &'static str, what: &str) {
        self.known.push(key);
        let Some((span, _)) = self.table.and_then(|table| find(table, key)) else { return };
        problems.add_at(&span, format!("{what} is not supported by this version; take it out"));
    }

    /// Names every key that nobody asked for.
    pub(super) fn finish(self, problems: &mut Problems<'_>) {
        for (key, _) in self.table.into_iter().flat_map(|table| table.iter()) {
            let given: &str = key.get_ref();
            if !self.known.contains(&given) {
                problems.add_at(&key.span(), self.unknown(given));
            }
        }
    }

    fn unknown(&self, given: &str) -> String {
        let Self { name, known, .. } = self;
        match nearest(given, known) {
            Some(near) => format!("{name} has no key `{given}`; did you mean `{near}`?"),
            None => format!("{name} has no key `{given}`; it has {}", known.join(", ")),
        }
    }
}

fn find<'t>(table: &'t DeTable<'t>, key: &str) -> Option<(Range<usize>, &'t Spanned<DeValue<'t>>)> {
    table
        .iter()
        .find(|(name, _)| &**name.get_ref() == key)
        .map(|(name, value)| (name.span(), value))
}
