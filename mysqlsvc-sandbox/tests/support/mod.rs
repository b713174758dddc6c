//! What the sandbox's tests share.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails by panicking")]
#![allow(dead_code, reason = "each test program uses a part")]

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use mysql_async::{Conn, prelude::Queryable as _};

/// As long as servers in containers may take to be there.
const LIMIT: Duration = Duration::from_mins(3);

/// Waits until `condition` holds, and fails with `what` if it does not within [`LIMIT`].
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition().await {
        assert!(Instant::now() < deadline, "not seen within {LIMIT:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Processes that name `dir` in their command line, by pid.
pub(crate) fn processes_of(dir: &Path) -> Vec<String> {
    let needle = format!("{}/", dir.display());
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let line = std::fs::read(path.join("cmdline")).ok()?;
            let text = String::from_utf8_lossy(&line).into_owned();
            text.contains(&needle).then(|| format!("{}: {text:?}", path.display()))
        })
        .collect()
}

/// Makes a table in `app` and writes one row.
pub(crate) async fn write_row(conn: &mut Conn, value: u32) {
    conn.query_drop("CREATE TABLE IF NOT EXISTS app.t (v INT PRIMARY KEY)").await.unwrap();
    conn.exec_drop("INSERT INTO app.t VALUES (?)", (value,)).await.unwrap();
}

/// Whether the row is there; a table that is not there yet holds none.
pub(crate) async fn has_row(conn: &mut Conn, value: u32) -> bool {
    let seen: Result<Option<u32>, _> =
        conn.exec_first("SELECT v FROM app.t WHERE v = ?", (value,)).await;
    matches!(seen, Ok(Some(_)))
}

/// Containers and networks of a sandbox, as docker lists them.
pub(crate) fn left_in_docker(id: &str) -> String {
    let filter = format!("label=mysqlsvc.sandbox={id}");
    let list = |arguments: &[&str]| {
        let output = Command::new("docker").args(arguments).args(["--filter", &filter]).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    list(&["ps", "-aq"]) + &list(&["network", "ls", "-q"])
}
