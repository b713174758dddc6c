//! `scripts/setup.sh` on hosts that lack what it looks for.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// A host that has only what the script itself is made of. Its user is the owner of `uid`.
struct Host {
    place: TempDir,
}

impl Host {
    fn new(uid: u32) -> Self {
        let host = Self { place: tempfile::tempdir().unwrap() };
        for tool in ["bash", "dirname", "sed", "seq", "sleep"] {
            symlink(which(tool), host.path(tool)).unwrap();
        }
        host.program("id", &format!("echo {uid}"));
        host.program("cargo", "exit 0");
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.path(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    }

    /// Exit code and all that was said.
    fn setup(&self, purpose: &str) -> (i32, String) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/setup.sh");
        let mut command = Command::new(self.path("bash"));
        command.arg(script).arg(purpose).env("PATH", self.place.path());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    }
}

fn which(tool: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|dir| dir.join(tool)).find(|file| file.is_file()).unwrap()
}

#[test]
fn a_user_is_told_the_command_that_installs_what_is_missing() {
    let host = Host::new(1000);
    let (code, said) = host.setup("lint");
    assert_eq!(code, 1, "{said}");
    let command = "sudo apt-get update && sudo apt-get install -y --no-install-recommends \
                   build-essential\n";
    assert!(said.ends_with(command), "{said}");
}

#[test]
fn root_installs_what_is_missing_and_nothing_when_all_is_there() {
    let host = Host::new(0);
    let log = host.path("log");
    host.program("apt-get", &format!("echo \"$@\" >>{}", log.display()));
    assert_eq!(host.setup("lint").0, 0);
    let calls = fs::read_to_string(&log).unwrap();
    assert_eq!(calls, "update -qq\n-qq install -y --no-install-recommends build-essential\n");

    fs::remove_file(&log).unwrap();
    host.program("cc", "exit 0");
    assert_eq!(host.setup("lint"), (0, String::new()));
    assert!(!log.exists());
}

#[test]
fn a_user_without_the_mysql_image_is_told_so_and_that_root_can_build_it() {
    let host = Host::new(1000);
    host.program("cc", "exit 0");
    host.program("docker", "[ \"$1\" = info ]");
    let (code, said) = host.setup("demo-mysql");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("only root can build it"), "{said}");

    host.program("docker", "exit 0");
    assert_eq!(host.setup("demo-mysql"), (0, String::new()));
}

#[test]
fn an_unknown_purpose_and_a_missing_cargo_are_said() {
    let host = Host::new(1000);
    assert_eq!(host.setup("everything").0, 2);
    fs::remove_file(host.path("cargo")).unwrap();
    let (code, said) = host.setup("lint");
    assert_eq!(code, 1);
    assert!(said.contains("https://rustup.rs"), "{said}");
}

#[test]
fn the_demo_of_each_flavour_has_its_own_setup() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (arguments, purpose) in
        [("ARGS=--once", "demo\n"), ("ARGS=--flavor mysql --once", "demo-mysql\n")]
    {
        let mut make = Command::new("make");
        make.args(["--dry-run", "--no-print-directory", "setup-demo", arguments]);
        let output = make.current_dir(&root).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said, format!("scripts/setup.sh {purpose}"));
    }
}
