//! `[cluster.clone]`: how a server is made a copy of another.

use std::{ops::RangeInclusive, time::Duration};

use toml::de::DeValue;

use super::{problem::Problems, section::Section, value};
use crate::mysql::copying::{CopyCommand, CopySettings};

const LIMIT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);

pub(super) fn read(mut section: Section<'_>, problems: &mut Problems<'_>) -> CopySettings {
    let stall = CopySettings::default().stall_timeout.into();
    let stall = section.read_or(problems, "stall_timeout", stall, value::duration(LIMIT));
    let backup = section.read(problems, "backup", command).map(|given| given.value);
    let restore = section.read(problems, "restore", command).map(|given| given.value);
    if backup.is_some() != restore.is_some() {
        let message = "backup and restore are two ends of one stream; give both, or neither";
        problems.add(section.place().clone(), message);
    }
    section.finish(problems);
    CopySettings { stall_timeout: stall.into(), backup, restore }
}

fn command(given: &DeValue<'_>) -> Result<CopyCommand, String> {
    let expected = "expected a program and its arguments, for example [\"ssh\", \"{node_host}\"]";
    let Some(array) = given.as_array() else {
        return Err(format!("{expected}, found {}", given.type_str()));
    };
    let words = array.iter().map(|word| match word.get_ref().as_str() {
        Some(word) => Ok(word.to_owned()),
        None => Err(format!("{expected}, found {} in it", word.get_ref().type_str())),
    });
    CopyCommand::new(words.collect::<Result<_, _>>()?).map_err(|error| error.to_string())
}
