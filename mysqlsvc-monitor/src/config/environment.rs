//! Environment variables that come before the file.
//!
//! | variable | instead of |
//! |---|---|
//! | `MYSQLSVC_MONITOR_HTTP` | `[monitor] http` |
//! | `MYSQLSVC_MONITOR_SSE` | `[monitor] sse` |
//! | `MYSQLSVC_MONITOR_STATE` | `[monitor] state` |
//! | `MYSQLSVC_MONITOR_SECRETS` | `[monitor] secrets` |
//!
//! Another name that begins with `MYSQLSVC_MONITOR_` is a mistake, and named as one.

use std::{borrow::Cow, collections::BTreeMap};

use toml::de::DeValue;

use super::{
    problem::{Place, Problems},
    section::Given,
    suggestion::nearest,
};

const PREFIX: &str = "MYSQLSVC_MONITOR_";

const KNOWN: [&str; 4] = [
    "MYSQLSVC_MONITOR_HTTP",
    "MYSQLSVC_MONITOR_SSE",
    "MYSQLSVC_MONITOR_STATE",
    "MYSQLSVC_MONITOR_SECRETS",
];

/// The variables that concern the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
            })
            .collect()
    }

    /// What is given for `key` of `[monitor]`.
    pub(super) fn read<T>(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        convert: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<Given<T>> {
        let variable = format!("{PREFIX}{}", key.to_ascii_uppercase());
        let given = self.variables.get(&variable)?;
        let place = Place::Environment { variable };
        match convert(&DeValue::String(Cow::Borrowed(given))) {
            Ok(value) => Some(Given { value, place }),
            Err(message) => {
                problems.add(place, message);
                None
            }
        }
    }

    pub(super) fn check_names(&self, problems: &mut Problems<'_>) {
        for variable in self.variables.keys().filter(|name| !KNOWN.contains(&name.as_str())) {
            let message = match nearest(variable, &KNOWN) {
                Some(near) => format!("there is no such variable; did you mean {near}?"),
                None => format!("there is no such variable; there are {}", KNOWN.join(", ")),
            };
            problems.add(Place::Environment { variable: variable.clone() }, message);
        }
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        let ours = variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX));
        Self { variables: ours.collect() }
    }
}
