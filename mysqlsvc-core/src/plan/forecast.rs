//! How long applications will not be able to write: said before a switch is begun.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Flavor, Millis, Settings,
    backend::{Obstacle, ObstacleKind},
};

/// What a freeze, one durable record and an opening cost on a quiet machine, with room for a busy
/// one (`docs/benchmarks.md`).
const FLOOR_MYSQL: Millis = Millis(15);
const FLOOR_MARIADB: Millis = Millis(8);

/// The time for which nobody will be able to write, and what it is made of. An estimate: the limits
/// of the plan's steps are what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// All of it.
    pub write_unavailable: Millis,
    /// Its parts.
    pub causes: Vec<Cause>,
}

/// One part of a [`Forecast`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What takes the time.
    pub what: String,
    /// How long.
    pub takes: Millis,
}

impl Forecast {
    /// Of a switch, reliability first. `behind` is how far the candidate was seen to be behind the
    /// master; what is longer than `max_lag` is waited for before the freeze.
    pub fn of_switch(
        flavor: Flavor,
        obstacles: &[Obstacle],
        behind: Millis,
        settings: &Settings,
    ) -> Self {
        let floor = match flavor {
            Flavor::MySql => FLOOR_MYSQL,
            Flavor::MariaDb => FLOOR_MARIADB,
        };
        let mut causes = vec![Cause { what: "freeze, record, open".to_owned(), takes: floor }];
        if behind > Millis(0) {
            let what = "the candidate executes what it has not yet".to_owned();
            causes.push(Cause { what, takes: behind.min(settings.max_lag) });
        }
        if obstacles.iter().any(|it| it.kind == ObstacleKind::TableLock) {
            let what = "a table lock that is still held then".to_owned();
            causes.push(Cause { what, takes: settings.freeze_timeout });
        }
        if obstacles.iter().any(|it| it.kind == ObstacleKind::Ddl) {
            let what = "the candidate repeats DDL that ends just before the freeze".to_owned();
            causes.push(Cause { what, takes: settings.catch_up_timeout });
        }
        let write_unavailable = Millis(causes.iter().map(|cause| cause.takes.0).sum());
        Self { write_unavailable, causes }
    }
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.write_unavailable)?;
        for (place, cause) in self.causes.iter().enumerate() {
            let before = if place == 0 { " (" } else { ", " };
            write!(f, "{before}{}: {}", cause.what, cause.takes)?;
        }
        if self.causes.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obstacle(kind: ObstacleKind) -> Obstacle {
        Obstacle { kind, session: None, account: String::new(), age: None, detail: String::new() }
    }

    #[test]
    fn what_is_in_the_way_makes_it_longer() {
        let settings = Settings::default();
        let of = |obstacles: &[Obstacle], behind| {
            Forecast::of_switch(Flavor::MariaDb, obstacles, behind, &settings).write_unavailable
        };
        let quiet = of(&[], Millis(0));
        assert_eq!(of(&[obstacle(ObstacleKind::Transaction)], Millis(0)), quiet);
        assert_eq!(of(&[], Millis(700)), Millis(quiet.0 + 700));
        assert_eq!(of(&[], Millis(3_600_000)), Millis(quiet.0 + settings.max_lag.0));
        let locked = of(&[obstacle(ObstacleKind::TableLock)], Millis(0));
        assert_eq!(locked, Millis(quiet.0 + settings.freeze_timeout.0));
    }
}
