//! What keeps a text that arrives late from changing anything.
//!
//! A statement that was sent may reach the server long after its sender gave up: the kernel sends
//! it again when the network heals. By then it runs in no session that could be found and killed.
//! So each text that changes a server begins with a statement that fails, and ends the text, when
//! the server's own clock shows more than it would at the text's deadline.

/// The column that a server's clock is read from, in seconds since 1970, wherever a text has it.
pub(in super::super) const CLOCK: &str = "server_clock";

/// Says so, alone; as cheap as a statement can be.
pub(in super::super) const ASK_CLOCK: &str = "SELECT @@timestamp AS server_clock";

/// The column of a fence's own result, which is no answer to anything.
pub(in super::super) const FENCE: &str = "mysqlsvc_fence";

/// Fails with error 1242 where the server's clock shows more than these microseconds since 1970.
/// `@@timestamp` is when the statement began, whatever the time zone.
pub(in super::super) fn fence(until: i64) -> String {
    let (seconds, micros) = (until.max(0) / 1_000_000, until.max(0) % 1_000_000);
    format!(
        "SELECT IF(@@timestamp > {seconds}.{micros:06}, (SELECT 1 UNION SELECT 2), 0) AS {FENCE}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_names_its_moment_to_the_microsecond() {
        assert!(fence(1_795_193_050_000_042).contains("@@timestamp > 1795193050.000042,"));
    }

    #[test]
    fn the_clock_is_asked_for_by_its_column() {
        assert!(ASK_CLOCK.ends_with(CLOCK));
    }
}
