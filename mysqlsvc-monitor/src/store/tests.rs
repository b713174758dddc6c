use std::path::Path;

use mysqlsvc_core::{
    Epoch, GtidSet, Identity, Micros, NodeId, OperationId, Role, RouteVersion, Store as _,
    StoreError, WallTime,
    intent::{Change, Member},
    journal::{Entry, Outcome, Record},
    plan::{Commit, OperationKind, Plan, Step, Strategy},
};
use rusqlite::Connection;

use super::*;

fn open(directory: &Path) -> StateDirectory {
    StateDirectory::open(directory).unwrap()
}

fn store(state: &StateDirectory, name: &str) -> SqliteStore {
    state.cluster(&name.parse().unwrap())
}

fn reserved(version: u64) -> Entry {
    let change = Change::VersionsReserved { up_to: RouteVersion(version) };
    Entry { at: WallTime(version), record: Record::Changed { change, who: None } }
}

fn entries(versions: std::ops::RangeInclusive<u64>) -> Vec<Entry> {
    versions.map(reserved).collect()
}

fn raw(directory: &Path) -> Connection {
    Connection::open(directory.join("monitord.db")).unwrap()
}

#[tokio::test]
async fn what_was_appended_survives_a_reopen_under_the_same_incarnation() {
    let dir = tempfile::tempdir().unwrap();
    let first = {
        let store = store(&open(dir.path()), "main");
        let stored = store.load().await.unwrap();
        assert!(stored.entries.is_empty());
        store.append(&entries(1..=2)).await.unwrap();
        store.append(&entries(3..=3)).await.unwrap();
        stored.incarnation
    };
    let store = store(&open(dir.path()), "main");
    let stored = store.load().await.unwrap();
    assert_eq!(stored.incarnation, first);
    assert_eq!(stored.entries, entries(1..=3));
    store.append(&entries(4..=4)).await.unwrap();
    assert_eq!(store.load().await.unwrap().entries, entries(1..=4));
}

#[tokio::test]
async fn an_append_whose_caller_went_away_is_whole_and_counts() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&open(dir.path()), "main");
    store.load().await.unwrap();
    let versions = entries(1..=2);
    {
        let mut append = Box::pin(store.append(&versions));
        // Polled once: it is in the queue. Then nobody waits for it any longer.
        let _ = futures_util::poll!(&mut append);
    }
    store.append(&entries(3..=3)).await.unwrap();
    assert_eq!(store.load().await.unwrap().entries, entries(1..=3));
}

#[tokio::test]
async fn a_damaged_row_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for (damage, said) in [
        (
            "UPDATE journal SET record = '{\"no\":1}' WHERE sequence = 2",
            "journal row 2: `{\"no\":1}`",
        ),
        (
            "DELETE FROM journal WHERE sequence = 2",
            "journal row 2: it is missing, row 3 comes next",
        ),
        ("UPDATE cluster SET incarnation = 'x'", "cluster main: incarnation `x`"),
    ] {
        let dir = dir.path().join(said.len().to_string());
        {
            let store = store(&open(&dir), "main");
            store.load().await.unwrap();
            store.append(&entries(1..=3)).await.unwrap();
        }
        raw(&dir).execute(damage, []).unwrap();
        let error = store(&open(&dir), "main").load().await.unwrap_err();
        assert!(matches!(&error, StoreError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn a_second_monitor_on_the_same_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let error = StateDirectory::open(dir.path()).unwrap_err();
    let process = format!("another monitord (process {})", std::process::id());
    assert!(error.to_string().contains(&process), "{error}");
    drop(first);
    open(dir.path());
}

#[test]
fn a_store_of_a_later_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    raw(dir.path()).pragma_update(None, "user_version", 99).unwrap();
    let error = StateDirectory::open(dir.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    raw(dir.path()).execute_batch("CREATE TABLE theirs (x)").unwrap();
    let error = StateDirectory::open(dir.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Foreign { .. }), "{error}");
    std::fs::write(dir.path().join("monitord.db"), "this is no database at all".repeat(100))
        .unwrap();
    let error = StateDirectory::open(dir.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Foreign { .. }), "{error}");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = StateDirectory::open(&file.join("state")).unwrap_err();
    assert!(error.to_string().contains("file/state: cannot make the state directory"), "{error}");
}

#[tokio::test]
async fn the_audit_says_who_did_what() {
    let dir = tempfile::tempdir().unwrap();
    let state = open(dir.path());
    let store = store(&state, "main");
    store.load().await.unwrap();
    store.append(&operation_of("ann")).await.unwrap();
    store.append(&[adopted_by("ann")]).await.unwrap();
    let rows = state.audit(None, 10).await.unwrap();
    let said: Vec<_> = rows
        .iter()
        .rev()
        .map(|row| {
            let (who, node) = (row.who.as_deref(), row.node.as_deref());
            (who, row.action.as_str(), node, row.operation, row.outcome.as_deref())
        })
        .collect();
    let (ann, node, first) = (Some("ann"), Some("db1:3306"), Some(OperationId(1)));
    assert_eq!(
        said,
        [
            (ann, "register-master", node, None, Some("done")),
            (ann, "activate", node, first, None),
            (ann, "activate-ended", node, first, Some("succeeded")),
            (ann, "adopt", node, None, Some("done")),
        ]
    );
    let older = state.audit(Some(rows[0].id), 1).await.unwrap();
    assert_eq!(older, rows[1..2]);
}

fn master() -> (NodeId, Member) {
    let member = Member {
        role: Role::Master,
        identity: Identity { server_id: 1, server_uuid: None },
        executed: GtidSet::empty(mysqlsvc_core::Flavor::MariaDb),
        paused: false,
        copy_due: false,
    };
    ("db1:3306".parse().unwrap(), member)
}

fn adopted_by(who: &str) -> Entry {
    let members = [master()].into();
    let change = Change::Adopted { epoch: Epoch(42), members, mutual: false, writable: true };
    let record = Record::Changed { change, who: Some(who.to_owned()) };
    Entry { at: WallTime(9), record }
}

fn operation_of(who: &str) -> Vec<Entry> {
    let (node, member) = master();
    let commit = Commit {
        epoch: Epoch(1),
        roles: [(node.clone(), Role::Master)].into(),
        mutual: false,
        paused: [].into(),
        rebuilt: None,
    };
    let plan = Plan {
        kind: OperationKind::Activate,
        from: None,
        to: node.clone(),
        strategy: Strategy::default(),
        forecast: None,
        steps: vec![Step::Commit(commit.clone())],
    };
    let change = Change::Registered { node, member, writable: true };
    let records = [
        Record::Changed { change, who: Some(who.to_owned()) },
        Record::Began { operation: OperationId(1), plan, who: who.to_owned() },
        Record::Committed { step: 0, commit, position: None, waypoints: Vec::new() },
        Record::Finished {
            outcome: Outcome::Succeeded,
            critical_section: Some(Micros(1)),
            write_unavailable: None,
        },
    ];
    records.into_iter().map(|record| Entry { at: WallTime(5), record }).collect()
}
