//! `[cluster.switch]`: the limits and choices that the core works by.

use std::{ops::RangeInclusive, time::Duration};

use mysqlsvc_core::{Millis, Settings};
use toml::de::DeValue;

use super::{
    problem::Problems,
    section::Section,
    value::{self, boolean},
};

/// Strategies that cannot be the default of a cluster: availability first is asked for with each
/// switch and confirmed, position-based is not there.
const OTHERS: [&str; 3] = ["availability", "availability-first", "position-based"];

const LIMIT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_hours(1);

/// Proxies cut a hold to as much (`mysqlsvc_proxy::LONGEST_HOLD`).
const HOLD_LIMIT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_mins(5);

pub(super) fn read(mut section: Section<'_>, problems: &mut Problems<'_>) -> Settings {
    let default = Settings::default();
    section.read(problems, "strategy", strategy);
    let mut limit =
        |key, default: Millis| section.read_or(problems, key, default, value::duration(LIMIT));
    let max_lag = limit("max_lag", default.max_lag);
    let max_read_lag = limit("max_read_lag", default.max_read_lag);
    let ack_timeout = limit("ack_timeout", default.ack_timeout);
    let freeze_timeout = limit("freeze_timeout", default.freeze_timeout);
    let quiet_timeout = limit("quiet_timeout", default.quiet_timeout);
    let catch_up_timeout = limit("catch_up_timeout", default.catch_up_timeout);
    let budget = section.read(problems, "downtime_budget", value::duration(LIMIT));
    let hold = section.read(problems, "hold_timeout", value::duration(HOLD_LIMIT));
    let mut flag = |key, default| section.read_or(problems, key, default, boolean);
    let reads_without_master = flag("reads_without_master", default.reads_without_master);
    let standby_serves_reads = flag("standby_serves_reads", default.standby_serves_reads);
    let kill_exclude =
        section.read_or(problems, "kill_exclude", default.kill_exclude, account_names);
    let settings = Settings {
        max_lag,
        max_read_lag,
        reads_without_master,
        standby_serves_reads,
        ack_timeout,
        freeze_timeout,
        catch_up_timeout,
        hold_timeout: hold.as_ref().map_or(default.hold_timeout, |given| given.value),
        kill_exclude,
        quiet_timeout,
        downtime_budget: budget.map(|given| given.value),
        semi_sync: default.semi_sync,
    };
    if let Err(error) = settings.validate() {
        let place = hold.map_or_else(|| section.place().clone(), |given| given.place);
        problems.add(place, error.to_string());
    }
    section.finish(problems);
    settings
}

fn strategy(given: &DeValue<'_>) -> Result<(), String> {
    match value::text(given)? {
        "reliability" | "reliability-first" => Ok(()),
        known if OTHERS.contains(&known) => {
            Err(format!("`{known}` is not supported here by this version; write \"reliability\""))
        }
        other => Err(format!("there is no strategy `{other}`; write \"reliability\"")),
    }
}

fn account_names(given: &DeValue<'_>) -> Result<Vec<String>, String> {
    let expected = "expected a list of account names, for example [\"backup\"]";
    let Some(array) = given.as_array() else {
        return Err(format!("{expected}, found {}", given.type_str()));
    };
    array
        .iter()
        .map(|element| match element.get_ref().as_str() {
            Some("") | None => Err(expected.to_owned()),
            Some(name) if name.contains('@') => {
                Err(format!("`{name}`: write the user only, without a host"))
            }
            Some(name) => Ok(name.to_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_first_is_named_as_on_the_command_line_or_in_full() {
        let read = |word: &str| strategy(&DeValue::String(word.to_owned().into()));
        for word in ["reliability", "reliability-first"] {
            assert_eq!(read(word), Ok(()), "{word}");
        }
        for word in ["availability", "availability-first", "position-based", "luck"] {
            assert!(read(word).unwrap_err().contains("write \"reliability\""), "{word}");
        }
    }
}
