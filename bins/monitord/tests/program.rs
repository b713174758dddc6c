//! monitord as a program: what it is told, what it says, and how it ends.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get ends it")]

use std::{
    fs::{self, Permissions},
    io::Read as _,
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Far more than anything here takes: only a defect waits that long.
const LIMIT: Duration = Duration::from_secs(30);

/// A directory with a configuration that is right, for servers that are not there.
fn directory() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_config(
        dir.path(),
        "[monitor]\nhttp = \"127.0.0.1:0\"\nsse = \"127.0.0.1:0\"\nstate = \"state\"\n\
         secrets = \"secret.conf\"\n[[cluster]]\nname = \"main\"\n\
         discovery = { kind = \"static\", nodes = [\"127.0.0.1:1\"] }\n",
    );
    let secrets = dir.path().join("secret.conf");
    fs::write(&secrets, "dba_passwd=hush-dba\nrepl_passwd=hush-repl\n").unwrap();
    fs::set_permissions(&secrets, Permissions::from_mode(0o600)).unwrap();
    dir
}

fn write_config(dir: &Path, text: &str) {
    fs::write(dir.join("monitord.toml"), text).unwrap();
}

fn monitord(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_monitord"));
    command.arg("--config").arg(dir.join("monitord.toml")).env_remove("RUST_LOG");
    command
}

fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// A monitord that serves; killed with the test, however that ends.
struct Serving {
    child: Child,
    http: SocketAddr,
    sse: SocketAddr,
}

impl Serving {
    fn start(dir: &Path) -> Self {
        let file = addresses(dir);
        let child =
            monitord(dir).arg("--address-file").arg(&file).stderr(Stdio::piped()).spawn().unwrap();
        let text = wait_for(|| fs::read_to_string(&file).ok());
        let address = |key: &str| {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            value[key].as_str().unwrap().parse().unwrap()
        };
        Self { child, http: address("http"), sse: address("sse") }
    }

    fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &process]).status().unwrap().success());
    }

    fn ended(&mut self) -> (ExitStatus, String) {
        let status = wait_for(|| self.child.try_wait().unwrap());
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status, log)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait_for<T>(mut condition: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(begun.elapsed() < LIMIT, "waited in vain");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_right_configuration_is_said_to_be_right() {
    let dir = directory();
    let (code, said, errors) = output(monitord(dir.path()).arg("--check-config"));
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(said.contains("right; clusters: main (1 servers)"), "{said}");
    assert!(!dir.path().join("state").exists(), "checking made something");
}

#[test]
fn a_bad_configuration_ends_with_64_and_every_mistake() {
    let dir = directory();
    write_config(dir.path(), "[monitor]\nhtpp = 1\n[[cluster]]\nname = \"main\"\n");
    for arguments in [vec!["--check-config"], vec![]] {
        let (code, said, errors) = output(monitord(dir.path()).args(arguments));
        assert_eq!((code, said.as_str()), (Some(64), ""));
        let file = dir.path().join("monitord.toml");
        let lines: Vec<&str> = errors.lines().collect();
        let expected = format!("{}:2:1: [monitor] has no key `htpp`", file.display());
        assert!(lines.len() == 2 && lines[0].starts_with(&expected), "{errors}");
    }
}

#[test]
fn secrets_that_others_may_read_end_with_64_and_are_not_shown() {
    let dir = directory();
    let secrets = dir.path().join("secret.conf");
    fs::set_permissions(&secrets, Permissions::from_mode(0o644)).unwrap();
    let (code, _, errors) = output(monitord(dir.path()).arg("--check-config"));
    assert_eq!(code, Some(64));
    assert!(errors.contains("chmod 600") && !errors.contains("hush"), "{errors}");
}

#[test]
fn a_wrong_usage_ends_with_2() {
    let (code, _, _) = output(Command::new(env!("CARGO_BIN_EXE_monitord")).arg("--colour"));
    assert_eq!(code, Some(2));
}

#[test]
fn an_address_in_use_ends_with_1_and_is_named() {
    let dir = directory();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, _, errors) = output(monitord(dir.path()).env("MYSQLSVC_MONITOR_SSE", &address));
    assert_eq!(code, Some(1));
    assert!(errors.contains(&format!("sse: cannot listen on {address}")), "{errors}");
}

#[test]
fn it_serves_on_the_addresses_it_tells_and_ends_well_when_asked() {
    for signal in ["TERM", "INT"] {
        let dir = directory();
        let mut serving = Serving::start(dir.path());
        for address in [serving.http, serving.sse] {
            TcpStream::connect(address).unwrap();
        }
        serving.signal(signal);
        let (status, log) = serving.ended();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(log.contains("listening") && !log.contains("hush"), "{log}");
    }
}

#[test]
fn a_second_monitor_on_the_same_state_is_refused() {
    let dir = directory();
    let serving = Serving::start(dir.path());
    let (code, _, errors) = output(&mut monitord(dir.path()));
    assert_eq!(code, Some(1));
    let process = serving.child.id();
    assert!(errors.contains(&format!("another monitord (process {process})")), "{errors}");
}

#[test]
fn a_killed_monitor_leaves_nothing_that_stops_the_next_one() {
    let dir = directory();
    let mut first = Serving::start(dir.path());
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    fs::remove_file(addresses(dir.path())).unwrap();
    let mut second = Serving::start(dir.path());
    second.signal("TERM");
    assert_eq!(second.ended().0.code(), Some(0));
}

fn addresses(dir: &Path) -> PathBuf {
    dir.join("addresses.json")
}
