//! The guard ends what it was told to end, and nobody else who names its directory.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use mysqlsvc_sandbox::guard::{Guard, Program, Ward};

const SERVER: Program = Program { name: "mariadbd", option: "--defaults-file=" };

/// A process of this name and with this argument, which waits for the end of its input.
fn process(place: &Path, name: &str, argument: &str) -> Child {
    let program = place.join(name);
    if !program.exists() {
        fs::write(&program, "#!/bin/sh\nread -r _\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    }
    Command::new(program).arg(argument).stdin(Stdio::piped()).spawn().unwrap()
}

fn ward<'a>(dir: &'a Path, programs: &'a [Program]) -> Ward<'a> {
    Ward { dir, id: "7f3a", marker: ".marker", programs, docker: false }
}

fn marked(dir: &Path) {
    fs::create_dir(dir).unwrap();
    fs::write(dir.join(".marker"), "7f3a").unwrap();
}

#[tokio::test]
async fn only_the_named_program_with_the_directory_behind_its_option_is_ended() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("box");
    let dir_text = dir.to_str().unwrap();
    let guard = Guard::spawn(&ward(&dir, &[SERVER])).unwrap();
    marked(&dir);
    let mut ours =
        process(place.path(), "mariadbd", &format!("--defaults-file={dir_text}/node1/my.cnf"));
    let others = [
        ("mariadbd", format!("--defaults-file=/var{dir_text}/node1/my.cnf")),
        ("mariadbd", format!("--defaults-file={dir_text}-2/node1/my.cnf")),
        ("mariadbd", format!("--init-file={dir_text}/node1/init.sql")),
        ("mariadbd", format!("{dir_text}/node1")),
        ("tar", format!("--directory={dir_text}/node1")),
        ("tar", format!("{dir_text}/node1")),
    ];
    let mut others = others.map(|(name, argument)| process(place.path(), name, &argument));

    guard.remove().await.unwrap();

    assert_eq!(ours.wait().unwrap().signal(), Some(9));
    assert!(!dir.exists());
    for other in &mut others {
        drop(other.stdin.take());
        let ended = other.wait().unwrap();
        assert_eq!(ended.signal(), None, "it was not ours");
    }
}

#[test]
fn a_guard_whose_owner_is_gone_ends_and_removes_all_too() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("box");
    let tar = Program { name: "tar", option: "" };
    let guard = Guard::spawn(&ward(&dir, &[SERVER, tar])).unwrap();
    marked(&dir);
    let mut ours = process(place.path(), "tar", &format!("{}/root", dir.display()));

    drop(guard);

    assert_eq!(ours.wait().unwrap().signal(), Some(9));
    assert!(!dir.exists());
}

#[tokio::test]
async fn a_directory_with_another_marker_stays_and_is_named() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("box");
    let guard = Guard::spawn(&ward(&dir, &[])).unwrap();
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join(".marker"), "another").unwrap();

    let error = guard.remove().await.unwrap_err().to_string();

    assert!(dir.join(".marker").exists());
    assert!(error.contains(dir.to_str().unwrap()), "{error}");
}

#[test]
fn a_guard_that_is_sent_away_leaves_everything() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("box");
    let guard = Guard::spawn(&ward(&dir, &[SERVER])).unwrap();
    marked(&dir);

    guard.dismiss().unwrap();

    assert!(dir.exists());
}
