//! What single values may look like.

use std::{
    net::{Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use mysqlsvc_core::Millis;
use toml::de::DeValue;

pub(super) fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, String> {
    value.as_str().ok_or_else(|| format!("expected a text in quotes, found {}", value.type_str()))
}

pub(super) fn boolean(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("expected true or false, found {}", value.type_str()))
}

pub(super) fn path(value: &DeValue<'_>) -> Result<PathBuf, String> {
    match text(value)? {
        "" => Err("the path is empty".to_owned()),
        given => Ok(PathBuf::from(given)),
    }
}

/// A whole number within a range.
pub(super) fn number(
    range: RangeInclusive<u32>,
) -> impl FnOnce(&DeValue<'_>) -> Result<u32, String> {
    move |value| {
        let expected = format!("expected a whole number from {} to {}", range.start(), range.end());
        let Some(integer) = value.as_integer() else {
            return Err(format!("{expected}, found {}", value.type_str()));
        };
        u32::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| format!("{expected}, found {}", integer.as_str()))
    }
}

/// A length of time within a range, written as people do: "5s", "500ms", "1m 30s".
pub(super) fn duration(
    range: RangeInclusive<Duration>,
) -> impl FnOnce(&DeValue<'_>) -> Result<Millis, String> {
    move |value| {
        let Some(given) = value.as_str() else {
            let found = value.type_str();
            return Err(format!("expected a duration like \"5s\" or \"500ms\", found {found}"));
        };
        let length = humantime::parse_duration(given)
            .map_err(|error| format!("`{given}` is not a duration like \"5s\": {error}"))?;
        if range.contains(&length) {
            return Ok(length.into());
        }
        let [least, most] = [range.start(), range.end()].map(|d| humantime::format_duration(*d));
        Err(format!("`{given}` is out of range, which is {least} to {most}"))
    }
}

/// Where to listen: an IP address and a port, 0 for any free one; `localhost` is 127.0.0.1.
pub(super) fn listen_address(value: &DeValue<'_>) -> Result<SocketAddr, String> {
    let given = text(value)?;
    if let Some(port) = given.strip_prefix("localhost:").and_then(|port| port.parse().ok()) {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    given.parse().map_err(|_| {
        format!(
            "`{given}` is not an address to listen on; write IP:PORT, for example \
             127.0.0.1:8080 or [::1]:8080"
        )
    })
}
