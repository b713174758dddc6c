//! One transaction of MySQL.

use std::fmt;

use uuid::Uuid;

use super::{GtidTag, MySqlGtidSet};

/// One MySQL transaction. Its text, `uuid[:tag]:number`, is what `SET gtid_next` takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MySqlGtid {
    /// Of the server that wrote it first.
    pub uuid: Uuid,
    /// What its writer marked it with.
    pub tag: Option<GtidTag>,
    /// From 1 to 2⁶³ − 2.
    pub number: u64,
}

impl MySqlGtidSet {
    /// Its transactions one by one, in the order of its text: perhaps very many.
    pub fn transactions(&self) -> impl Iterator<Item = MySqlGtid> {
        self.0.iter().flat_map(|((uuid, tag), intervals)| {
            let numbers = intervals.iter().flat_map(|(first, last)| first..=last);
            numbers.map(|number| MySqlGtid { uuid: *uuid, tag: tag.clone(), number })
        })
    }
}

impl fmt::Display for MySqlGtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.uuid)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        write!(f, ":{}", self.number)
    }
}
