//! The text of MySQL's GTID sets: `uuid[:tag][:interval]…[:tag[:interval]…]…`, comma, the next.

use std::{collections::BTreeMap, fmt, str::FromStr};

use uuid::Uuid;

use super::{
    GtidTag, Key, MySqlGtidSet,
    intervals::{Intervals, LARGEST_NUMBER},
};
use crate::{Flavor, gtid::InvalidGtidSet};

/// What was read so far, in no order: texts of many intervals are sorted once, at the end.
#[derive(Default)]
struct Unsorted(BTreeMap<Key, Vec<(u64, u64)>>);

impl Unsorted {
    /// Adds what one item between commas says.
    fn add_item(&mut self, item: &str) -> Result<(), InvalidGtidSet> {
        let mut pieces = item.split(':').map(str::trim);
        let uuid = pieces
            .next()
            .and_then(|text| Uuid::try_parse(text).ok())
            .ok_or_else(|| invalid(item, "it does not begin with a server UUID"))?;
        let mut tag = None;
        let mut awaited = true;
        for piece in pieces {
            if piece.starts_with(|c: char| c.is_ascii_digit()) {
                let numbers = parse_interval(piece)?;
                self.0.entry((uuid, tag.clone())).or_default().push(numbers);
                awaited = false;
            } else if awaited && tag.is_some() {
                return Err(invalid(item, "a tag has no transaction numbers"));
            } else {
                tag = Some(parse_tag(piece)?);
                awaited = true;
            }
        }
        if awaited {
            return Err(invalid(item, "transaction numbers are missing, as in uuid:1-5"));
        }
        Ok(())
    }
}

fn invalid(given: &str, problem: &'static str) -> InvalidGtidSet {
    InvalidGtidSet::new(Flavor::MySql, given, problem)
}

fn parse_interval(text: &str) -> Result<(u64, u64), InvalidGtidSet> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (parse_number(first)?, parse_number(last)?);
    if first <= last {
        Ok((first, last))
    } else {
        Err(invalid(text, "the interval ends before it begins"))
    }
}

fn parse_number(text: &str) -> Result<u64, InvalidGtidSet> {
    let text = text.trim();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits && (1..=LARGEST_NUMBER).contains(&number) => Ok(number),
        _ => Err(invalid(text, "a transaction number is from 1 to 9223372036854775806")),
    }
}

fn parse_tag(text: &str) -> Result<GtidTag, InvalidGtidSet> {
    if text.is_empty() {
        return Err(invalid(text, "there is nothing between two colons, or after the last"));
    }
    text.parse().map_err(|_| invalid(text, "a tag is at most 32 letters, digits and underscores"))
}

impl FromStr for MySqlGtidSet {
    type Err = InvalidGtidSet;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut read = Unsorted::default();
        if !text.trim().is_empty() {
            text.split(',').try_for_each(|item| read.add_item(item.trim()))?;
        }
        let sorted = read.0.into_iter().map(|(key, all)| (key, Intervals::merged(all)));
        Ok(Self(sorted.collect()))
    }
}

impl fmt::Display for MySqlGtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut previous = None;
        for ((uuid, tag), intervals) in &self.0 {
            match previous.replace(*uuid) {
                Some(same) if same == *uuid => {}
                Some(_) => write!(f, ",{uuid}")?,
                None => write!(f, "{uuid}")?,
            }
            if let Some(tag) = tag {
                write!(f, ":{tag}")?;
            }
            for (first, last) in intervals.iter() {
                if first == last {
                    write!(f, ":{first}")?;
                } else {
                    write!(f, ":{first}-{last}")?;
                }
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for MySqlGtidSet {
    type Error = InvalidGtidSet;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MySqlGtidSet> for String {
    fn from(set: MySqlGtidSet) -> Self {
        set.to_string()
    }
}
