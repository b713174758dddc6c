//! What the store said is durable is there after a `kill -9` at any moment.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get ends it")]

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use mysqlsvc_core::{
    RouteVersion, Store as _, WallTime,
    intent::Change,
    journal::{Entry, Record},
};
use mysqlsvc_monitor::store::{SqliteStore, StateDirectory};

/// Tells this program to be the one that is killed, and where it works.
const VICTIM: &str = "STORE_DURABILITY_VICTIM";

fn entry(number: u64) -> Entry {
    let change = Change::VersionsReserved { up_to: RouteVersion(number) };
    Entry { at: WallTime(number), record: Record::Changed { change, who: None } }
}

fn open(directory: &Path) -> SqliteStore {
    StateDirectory::open(directory).unwrap().cluster(&"main".parse().unwrap())
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 1..=5 {
        let (mut victim, lines) = start_victim(dir.path());
        let mut lines = lines.lines().map_while(Result::ok).filter_map(|line| number_of(&line));
        acknowledged = lines.by_ref().find(|number| *number >= acknowledged + 5 * round).unwrap();
        victim.0.kill().unwrap();
        victim.0.wait().unwrap();
        // What it still managed to say counts, too.
        acknowledged = lines.last().unwrap_or(acknowledged);
        let stored = open(dir.path()).load().await.unwrap().entries;
        let last = u64::try_from(stored.len()).unwrap();
        assert!(last >= acknowledged, "{acknowledged} were acknowledged, {last} are there");
        assert_eq!(stored, (1..=last).map(entry).collect::<Vec<_>>());
        acknowledged = last;
    }
    assert!(acknowledged >= 75);
}

/// Not a test of its own: it is what the test above starts and kills.
#[tokio::test]
async fn victim() {
    let Some(directory) = env::var_os(VICTIM) else { return };
    let store = open(Path::new(&directory));
    let mut last = u64::try_from(store.load().await.unwrap().entries.len()).unwrap();
    // The kill comes long before; an end there is in case whoever is to do it has died.
    for _ in 0..100_000 {
        store.append(&[entry(last + 1), entry(last + 2)]).await.unwrap();
        last += 2;
        println!("acknowledged {last}");
    }
}

fn number_of(line: &str) -> Option<u64> {
    line.split_once("acknowledged ")?.1.trim().parse().ok()
}

/// Ends with the test, however that ends.
struct Victim(Child);

impl Drop for Victim {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_victim(directory: &Path) -> (Victim, BufReader<std::process::ChildStdout>) {
    let mut victim = Command::new(env::current_exe().unwrap())
        .args(["victim", "--exact", "--nocapture"])
        .env(VICTIM, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap());
    (Victim(victim), lines)
}
