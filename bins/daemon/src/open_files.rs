//! How many files, sockets included, the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit of open files to the hard one, and says what may be open from now on.
///
/// The soft limit is 1024 on most systems for the sake of programs that use `select(2)`, which
/// these do not (systemd.exec(5), "`LimitNOFILE=`"). Where it cannot be raised, that is logged and
/// the soft limit stays.
pub fn raise_open_files() -> u64 {
    let found = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: found.maximum, maximum: found.maximum };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => found.maximum,
        Err(error) => {
            tracing::warn!(soft = ?found.current, hard = ?found.maximum, %error,
                "cannot raise the limit of open files");
            found.current
        }
    };
    // No limit is more than anybody counts.
    now.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let found = getrlimit(Resource::Nofile);
        let low = Rlimit { current: Some(256), maximum: found.maximum };
        setrlimit(Resource::Nofile, low).unwrap();
        let may = raise_open_files();
        assert_eq!(getrlimit(Resource::Nofile).current, found.maximum);
        assert_eq!(may, found.maximum.unwrap_or(u64::MAX));
    }
}
