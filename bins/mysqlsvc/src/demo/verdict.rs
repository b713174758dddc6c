//! Whether what the demo found is what the product promises.

use super::{failure::Failure, figures::Figures};

/// Something that must never be seen, or that must be and was not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("only {audited} of {servers} servers were looked at for rows")]
    NotAudited { audited: usize, servers: usize },
    #[error("no row was acknowledged")]
    NothingWritten,
    #[error("{0} acknowledged rows were lost")]
    Lost(u64),
    #[error("of {acknowledged} acknowledged rows some server has {found}")]
    Miscounted { acknowledged: u64, found: u64 },
    #[error("some server has {0} rows that nobody wrote")]
    Unexpected(u64),
    #[error("{0} times a new connection through the master proxy led to a read-only server")]
    ReadOnlyAhead(u64),
    #[error("nobody watched which servers took writes")]
    NotWatched,
    #[error("two servers took writes at the same time, {0} times")]
    TwoWritable(usize),
}

/// All that is wrong; nothing when the demo has shown what it should.
pub(super) fn wrongs(figures: &Figures) -> Vec<Wrong> {
    let Figures { acknowledged, found, lost, .. } = *figures;
    let (audited, servers) = (figures.audited, figures.servers);
    let read_only_ahead = figures.errors.refused_on_fresh_connection;
    let two_writable = figures.checks.two_writable;
    let all = [
        (audited < servers || audited == 0, Wrong::NotAudited { audited, servers }),
        (acknowledged == 0, Wrong::NothingWritten),
        (lost > 0, Wrong::Lost(lost)),
        (lost == 0 && found != acknowledged, Wrong::Miscounted { acknowledged, found }),
        (figures.unexpected > 0, Wrong::Unexpected(figures.unexpected)),
        (read_only_ahead > 0, Wrong::ReadOnlyAhead(read_only_ahead)),
        (figures.checks.looks == 0, Wrong::NotWatched),
        (two_writable > 0, Wrong::TwoWritable(two_writable)),
    ];
    all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, wrong)| wrong).collect()
}

/// The end of a demo that found `wrongs`.
pub(super) fn verdict(wrongs: Vec<Wrong>) -> Result<(), Failure> {
    if wrongs.is_empty() { Ok(()) } else { Err(Failure::Wrong(wrongs)) }
}

#[cfg(test)]
mod tests {
    use mysqlsvc_rig::ErrorCounts;
    use mysqlsvc_sandbox::Flavor;

    use super::{super::figures::Checks, *};

    /// What a demo that went well finds.
    fn well() -> Figures {
        Figures {
            flavor: Flavor::MariaDb,
            version: "10.11".to_owned(),
            switches: 1,
            servers: 4,
            audited: 4,
            acknowledged: 100,
            found: 100,
            lost: 0,
            unexpected: 0,
            ambiguous: 3,
            client_errors: 3,
            errors: ErrorCounts { cut: 3, ..ErrorCounts::default() },
            read_errors: 0,
            gap_ms: None,
            worst_writer_gap_ms: None,
            critical_section_ms: None,
            floor_ms: None,
            checks: Checks {
                looks: 50,
                write_attempts: 0,
                two_writable: 0,
                through_read_only: Vec::new(),
            },
        }
    }

    fn wrong(change: impl FnOnce(&mut Figures)) -> Vec<Wrong> {
        let mut figures = well();
        change(&mut figures);
        wrongs(&figures)
    }

    #[test]
    fn what_a_switch_costs_is_not_wrong() {
        assert_eq!(wrongs(&well()), []);
        assert!(verdict(Vec::new()).is_ok());
    }

    #[test]
    fn each_thing_that_must_not_be_is_named() {
        let seen = wrong(|figures| (figures.lost, figures.found) = (2, 98));
        assert_eq!(seen, [Wrong::Lost(2)]);
        let seen = wrong(|figures| figures.found = 99);
        assert_eq!(seen, [Wrong::Miscounted { acknowledged: 100, found: 99 }]);
        assert_eq!(wrong(|figures| figures.unexpected = 1), [Wrong::Unexpected(1)]);
        let seen = wrong(|figures| figures.errors.refused_on_fresh_connection = 1);
        assert_eq!(seen, [Wrong::ReadOnlyAhead(1)]);
        assert_eq!(wrong(|figures| figures.checks.two_writable = 1), [Wrong::TwoWritable(1)]);
    }

    #[test]
    fn what_nobody_looked_at_is_not_well() {
        let seen = wrong(|figures| (figures.audited, figures.found) = (0, 0));
        assert_eq!(seen[0], Wrong::NotAudited { audited: 0, servers: 4 });
        let seen = wrong(|figures| figures.audited = 3);
        assert_eq!(seen, [Wrong::NotAudited { audited: 3, servers: 4 }]);
        let seen = wrong(|figures| (figures.acknowledged, figures.found) = (0, 0));
        assert_eq!(seen, [Wrong::NothingWritten]);
        assert_eq!(wrong(|figures| figures.checks.looks = 0), [Wrong::NotWatched]);
    }

    #[test]
    fn all_of_it_is_said_at_once() {
        let error = verdict(vec![Wrong::Lost(2), Wrong::TwoWritable(1)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "2 acknowledged rows were lost; two servers took writes at the same time, 1 times"
        );
    }
}
