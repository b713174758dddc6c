//! What the checker saw.

use std::time::{Duration, Instant};

use mysqlsvc_sandbox::Flavor;
use serde::Serialize;

use super::{View, runs::Runs};

/// What was seen of all servers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// How often variables were read.
    pub looks: u64,
    /// How often a write was tried.
    pub attempts: u64,
    /// Looks and attempts that were not answered, most of them because a switch ended the session.
    pub unanswered: u64,
    /// Spans in which two servers took writes for certain. There must be none.
    pub overlaps: Vec<Overlap>,
    /// Writes of a `GRANT ALL` user on a server that said `read_only`: MariaDB before 12 lets them
    /// through, and DESIGN lists them as its one exception.
    pub through_read_only: Vec<ThroughReadOnly>,
}

/// Two servers that took writes at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overlap {
    /// Their addresses, and how each was seen writable.
    pub servers: [(String, View); 2],
    /// When it began, as far as it is certain.
    pub from: Instant,
    /// How long it lasted, as far as it is certain.
    pub duration: Duration,
}

/// Writes that `read_only` did not stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ThroughReadOnly {
    /// The server's address.
    pub server: String,
    /// How many of the attempts succeeded.
    pub attempts: u64,
}

impl CheckReport {
    pub(super) fn of(runs: &Runs, flavor: Flavor, servers: &[String]) -> Self {
        let name = |server: usize| servers.get(server).cloned().unwrap_or_default();
        let through = runs.through_read_only();
        Self {
            looks: runs.looks(View::Variables),
            attempts: runs.looks(View::Application) + runs.looks(View::GrantAll),
            unanswered: runs.unknown(),
            overlaps: overlaps(runs, flavor, &name),
            through_read_only: through
                .map(|(server, attempts)| ThroughReadOnly { server: name(server), attempts })
                .collect(),
        }
    }
}

/// On MariaDB a `GRANT ALL` user's success says nothing about `read_only`, so that view is not
/// compared.
fn overlaps(runs: &Runs, flavor: Flavor, name: &impl Fn(usize) -> String) -> Vec<Overlap> {
    let compared = |view| view != View::GrantAll || flavor == Flavor::MySql;
    let mut runs: Vec<_> = runs.all().filter(|(_, view, _)| compared(*view)).collect();
    runs.sort_by_key(|(server, view, run)| (*server, *view, run.first_sent));
    let mut found = Vec::new();
    for (place, (server, view, run)) in runs.iter().enumerate() {
        for (other_server, other_view, other) in runs.iter().skip(place + 1) {
            if server == other_server {
                continue;
            }
            if let Some((from, until)) = run.overlap(other) {
                found.push(Overlap {
                    servers: [(name(*server), *view), (name(*other_server), *other_view)],
                    from,
                    duration: until.saturating_duration_since(from),
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{
        super::runs::{Sample, Seen},
        *,
    };

    /// Looks of 2 ms each: server, view, when sent, what was seen.
    fn report(flavor: Flavor, looks: &[(usize, View, u64, Seen)]) -> CheckReport {
        let zero = Instant::now();
        let mut runs = Runs::default();
        for (server, view, at, seen) in looks {
            let sent = zero + Duration::from_millis(*at);
            let received = sent + Duration::from_millis(2);
            let sample = Sample { sent, received, seen: *seen };
            let through = *view == GrantAll && flavor == Flavor::MariaDb;
            if through && *seen == Writable && runs.is_closed(*server) {
                runs.record_through_read_only(*server, sample);
            } else {
                runs.record(*server, *view, sample);
            }
        }
        CheckReport::of(&runs, flavor, &["a".to_owned(), "b".to_owned()])
    }

    use Seen::{Closed, Unknown, Writable};
    use View::{Application, GrantAll, Variables};

    #[test]
    fn one_after_the_other_is_well() {
        let looks = [
            (0, Variables, 0, Writable),
            (1, Variables, 1, Closed),
            (0, Variables, 10, Writable),
            (0, Variables, 20, Closed),
            (1, Variables, 21, Writable),
            (1, Variables, 30, Writable),
        ];
        assert_eq!(report(Flavor::MySql, &looks).overlaps, []);
    }

    #[test]
    fn two_at_once_are_found_even_when_one_was_seen_only_once() {
        let looks = [
            (0, Variables, 0, Writable),
            (1, Application, 10, Writable),
            (0, Variables, 20, Writable),
            (1, Application, 25, Closed),
        ];
        let found = report(Flavor::MySql, &looks).overlaps;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].servers[1], ("b".to_owned(), Application));
    }

    #[test]
    fn looks_that_touch_prove_nothing() {
        let looks = [
            (0, Variables, 0, Writable),
            (0, Variables, 10, Writable),
            (1, Variables, 9, Writable),
            (1, Variables, 20, Writable),
        ];
        assert_eq!(report(Flavor::MySql, &looks).overlaps, []);
    }

    #[test]
    fn a_silent_server_is_not_taken_for_writable() {
        let looks = [
            (0, Variables, 0, Writable),
            (0, Variables, 5, Unknown),
            (1, Variables, 10, Writable),
            (1, Variables, 15, Writable),
            (0, Variables, 30, Writable),
        ];
        let report = report(Flavor::MySql, &looks);
        assert_eq!((report.overlaps.len(), report.unanswered), (0, 1));
    }

    #[test]
    fn a_grant_all_user_counts_on_mysql_and_is_listed_on_mariadb() {
        let looks = [
            (0, Variables, 0, Writable),
            (1, Variables, 1, Closed),
            (1, GrantAll, 10, Writable),
            (0, Variables, 20, Writable),
        ];
        assert_eq!(report(Flavor::MySql, &looks).overlaps.len(), 1);
        let mariadb = report(Flavor::MariaDb, &looks);
        assert_eq!(mariadb.overlaps, []);
        let listed = ThroughReadOnly { server: "b".to_owned(), attempts: 1 };
        assert_eq!(mariadb.through_read_only, [listed]);
    }
}
