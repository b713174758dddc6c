//! One transaction of MariaDB.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Flavor, gtid::InvalidGtidSet};

/// One MariaDB transaction, `domain-server_id-sequence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MariaDbGtid {
    /// `gtid_domain_id` of the session that wrote it.
    pub domain: u32,
    /// `server_id` of the server that wrote it first.
    pub server_id: u32,
    /// Grows by at least one with each transaction of the domain; 0 is before the first.
    pub sequence: u64,
}

fn invalid(given: &str, problem: &'static str) -> InvalidGtidSet {
    InvalidGtidSet::new(Flavor::MariaDb, given, problem)
}

/// Reads a number made of digits only: no sign, no white space.
fn parse_number<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl FromStr for MariaDbGtid {
    type Err = InvalidGtidSet;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let (Some(domain), Some(server_id), Some(sequence), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(invalid(text, "a GTID is domain-server_id-sequence, as in 0-1-100"));
        };
        Ok(Self {
            domain: parse_number(domain)
                .ok_or_else(|| invalid(text, "the domain is a number from 0 to 4294967295"))?,
            server_id: parse_number(server_id)
                .ok_or_else(|| invalid(text, "the server id is a number from 0 to 4294967295"))?,
            sequence: parse_number(sequence).ok_or_else(|| {
                invalid(text, "the sequence is a number from 0 to 18446744073709551615")
            })?,
        })
    }
}

impl fmt::Display for MariaDbGtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.domain, self.server_id, self.sequence)
    }
}

impl TryFrom<String> for MariaDbGtid {
    type Error = InvalidGtidSet;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MariaDbGtid> for String {
    fn from(gtid: MariaDbGtid) -> Self {
        gtid.to_string()
    }
}
