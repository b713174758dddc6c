//! How many connections the limit of open files allows.

use mysqlsvc_proxy::Forwarder;

use crate::admin_server::MOST_ADMIN_CONNECTIONS;

/// Files that are no client's and no server's: the log, listeners, the runtime's own, the stream
/// of routes and what looks names up.
const OWN: u64 = 32;

/// As many as `wanted`, or fewer where `files` open files are not enough; at least one.
pub(crate) fn most_connections(wanted: u32, files: u64) -> usize {
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let own = OWN + MOST_ADMIN_CONNECTIONS as u64;
    let possible = Forwarder::connections_for(files.saturating_sub(own)).max(1);
    if possible < wanted {
        tracing::warn!(
            "{files} open files are enough for {possible} connections, not for {wanted}; raise the \
             hard limit (ulimit -Hn, LimitNOFILE=, --ulimit nofile=) or set --max-connections"
        );
    }
    wanted.min(possible)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_bounds_the_connections() {
        assert_eq!(most_connections(10_000, 1 << 20), 10_000);
        assert!(most_connections(10_000, 1024) < 512);
        assert_eq!(most_connections(10_000, 0), 1);
        assert_eq!(most_connections(3, 1024), 3);
    }
}
