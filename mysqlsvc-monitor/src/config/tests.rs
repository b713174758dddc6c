use std::{net::SocketAddr, path::Path, time::Duration};

use mysqlsvc_core::{Millis, SemiSync, Settings};

use super::*;
use crate::{
    mysql::copying::{CopyCommand, CopySettings},
    secrets::Readers,
};

const LEAST: &str = r#"
[[cluster]]
name = "main"
discovery = { kind = "static", nodes = ["10.0.0.1:3306"] }
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    parse_with(text, &[])
}

fn parse_with(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let environment =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::parse(Path::new("/etc/m/monitord.toml"), text, &environment)
}

/// `LINE:COLUMN: message` of each problem.
fn mistakes(text: &str) -> Vec<String> {
    let error = parse(text).unwrap_err();
    error
        .problems()
        .iter()
        .map(|problem| problem.to_string().replace("/etc/m/monitord.toml:", "").trim().to_owned())
        .collect()
}

fn with_cluster(rest: &str) -> String {
    format!("{LEAST}{rest}")
}

#[test]
fn what_is_not_given_has_its_default() {
    let Config { monitor, clusters } = parse(LEAST).unwrap();
    assert_eq!(monitor.http, SocketAddr::from(([127, 0, 0, 1], 8080)));
    assert_eq!(monitor.sse, SocketAddr::from(([127, 0, 0, 1], 6033)));
    assert_eq!(monitor.secrets_readers, Readers::OwnerOnly);
    let [cluster] = clusters.as_slice() else { panic!("{clusters:?}") };
    assert_eq!(cluster.name.as_str(), "main");
    assert_eq!(cluster.probe, ProbeConfig::default());
    assert_eq!(cluster.settings, Settings::default());
}

#[test]
fn everything_given_is_taken() {
    let Config { monitor, clusters } = parse(
        r#"
[monitor]
http = "[::1]:0"
sse = "0.0.0.0:7000"
state = "state"
secrets = "/run/secret.conf"
secrets_readable_by_others = true
[[cluster]]
name = "one"
discovery = { kind = "static", nodes = ["DB1:3306", "[fe80::1]:3307"] }
[cluster.probe]
interval = "2s"
timeout = "700ms"
failures = 5
[cluster.switch]
strategy = "reliability-first"
max_lag = "6s"
max_read_lag = "1m 1s"
reads_without_master = false
standby_serves_reads = true
ack_timeout = "250ms"
freeze_timeout = "2s"
catch_up_timeout = "4s"
hold_timeout = "7s"
kill_exclude = ["backup"]
quiet_timeout = "1s"
downtime_budget = "3s"
[cluster.semi_sync]
wait_for = 2
timeout = "4s"
[[cluster]]
name = "two"
discovery = { kind = "static", nodes = ["db2:3306"] }
"#,
    )
    .unwrap();
    assert_eq!(monitor.http, "[::1]:0".parse().unwrap());
    assert_eq!(monitor.state, Path::new("/etc/m/state"));
    assert_eq!(monitor.secrets, Path::new("/run/secret.conf"));
    assert_eq!(monitor.secrets_readers, Readers::Anyone);
    let [one, two] = clusters.as_slice() else { panic!("{clusters:?}") };
    let DiscoveryConfig::Static { nodes } = &one.discovery;
    assert_eq!(nodes, &["db1:3306".parse().unwrap(), "[fe80::1]:3307".parse().unwrap()]);
    let probe = ProbeConfig { interval: Millis(2000), timeout: Millis(700), failures: 5 };
    assert_eq!(one.probe, probe);
    let settings = Settings {
        max_lag: Millis(6000),
        max_read_lag: Millis(61_000),
        reads_without_master: false,
        standby_serves_reads: true,
        ack_timeout: Millis(250),
        freeze_timeout: Millis(2000),
        catch_up_timeout: Millis(4000),
        hold_timeout: Millis(7000),
        kill_exclude: vec!["backup".to_owned()],
        quiet_timeout: Millis(1000),
        downtime_budget: Some(Millis(3000)),
        semi_sync: Some(SemiSync { wait_for: 2, timeout: Millis(4000) }),
    };
    assert_eq!(one.settings, settings);
    assert_eq!(two.settings, Settings::default());
}

#[test]
fn all_mistakes_come_at_once_each_with_its_place() {
    let text = r#"[monitor]
htpp = "127.0.0.1:1"
sse = "nowhere"
[[cluster]]
name = "a b"
discovery = { kind = "static", nodes = ["db", "db:3306", "DB:3306", 7] }
[cluster.probe]
interval = 5
failures = 0
[cluster.switch]
max_lag = "soon"
colour = "red"
"#;
    assert_eq!(
        mistakes(text),
        [
            "2:1: [monitor] has no key `htpp`; did you mean `http`?",
            "3:7: sse: `nowhere` is not an address to listen on; write IP:PORT, for example \
             127.0.0.1:8080 or [::1]:8080",
            "5:8: name: `a b` is not a cluster name: write 1 to 64 letters, digits, `-`, `_` or \
             `.`, beginning with a letter or digit",
            "6:41: nodes: `db` is not a server address: the port is missing; write host:port, \
             for example 10.0.0.1:3306",
            "6:58: nodes: db:3306 is already at 6:47; a server is listed once",
            "6:69: nodes: expected a text in quotes, found integer",
            "8:12: interval: expected a duration like \"5s\" or \"500ms\", found integer",
            "9:12: failures: expected a whole number from 1 to 100, found 0",
            "11:11: max_lag: `soon` is not a duration like \"5s\": expected number at 0",
            "12:1: [cluster.switch] has no key `colour`; it has strategy, max_lag, max_read_lag, \
             ack_timeout, freeze_timeout, quiet_timeout, catch_up_timeout, downtime_budget, \
             hold_timeout, reads_without_master, standby_serves_reads, kill_exclude",
        ]
    );
}

#[test]
fn what_is_not_toml_is_said_with_its_line() {
    let said = mistakes("[monitor]\nhttp = \n[[cluster]\n");
    assert!(said.iter().any(|line| line.starts_with("2:")), "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("3:")), "{said:?}");
    assert!(said.iter().all(|line| line.contains("not TOML")), "{said:?}");
    let twice = mistakes("[monitor]\nhttp = \"127.0.0.1:1\"\nhttp = \"127.0.0.1:2\"\n");
    assert!(twice[0].starts_with("3:"), "{twice:?}");
}

#[test]
fn an_empty_file_lacks_a_cluster() {
    assert_eq!(
        parse("").unwrap_err().to_string(),
        "/etc/m/monitord.toml: no cluster is configured; add [[cluster]] with a name and a \
         discovery"
    );
    assert!(mistakes("[cluster]\nname = \"x\"\n")[0].contains("double brackets"));
}

#[test]
fn clusters_share_neither_name_nor_server() {
    let said = mistakes(&with_cluster(LEAST));
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[0], "7:8: name: a cluster `main` is already at 3:8");
    assert!(said[1].starts_with("8:41: nodes: 10.0.0.1:3306 is already at 4:41"), "{said:?}");
}

#[test]
fn semi_sync_is_managed_where_its_section_is_there() {
    let managed = |text: &str| parse(&with_cluster(text)).unwrap().clusters[0].settings.semi_sync;
    assert_eq!(managed(""), None);
    let default = SemiSync { wait_for: 1, timeout: Millis(10_000) };
    assert_eq!(managed("[cluster.semi_sync]\n"), Some(default));
    for (wrong, said) in [
        ("wait_for = 0", "wait_for: expected a whole number from 1 to 100, found 0"),
        ("timeout = \"0s\"", "timeout: `0s` is out of range"),
        ("waitfor = 1", "did you mean `wait_for`?"),
    ] {
        let mistakes = mistakes(&with_cluster(&format!("[cluster.semi_sync]\n{wrong}\n")));
        assert!(mistakes.len() == 1 && mistakes[0].contains(said), "{mistakes:?}");
    }
}

#[test]
fn a_hold_that_ends_within_the_switch_is_refused() {
    let given = mistakes(&with_cluster("[cluster.switch]\nhold_timeout = \"8s\"\n"));
    assert!(given[0].starts_with("6:16: hold_timeout is 8 s, but must exceed"), "{given:?}");
    let by_default = mistakes(&with_cluster("[cluster.switch]\ncatch_up_timeout = \"1m\"\n"));
    assert!(by_default[0].contains("hold_timeout is 10 s"), "{by_default:?}");
}

#[test]
fn a_hold_longer_than_proxies_hold_is_refused() {
    let longest = with_cluster("[cluster.switch]\nhold_timeout = \"5m\"\n");
    assert!(parse(&longest).is_ok());
    let said = mistakes(&with_cluster("[cluster.switch]\nhold_timeout = \"301s\"\n"));
    assert!(said[0].contains("hold_timeout") && said[0].contains("1ms to 5m"), "{said:?}");
}

#[test]
fn what_is_not_built_yet_is_not_silently_ignored() {
    for (text, what) in [
        ("[auth]\nkind = \"users\"\n", "[auth], a login, is not supported by this version"),
        ("[tls]\ncert = \"x\"\n", "[tls] is not supported by this version"),
        ("[report.graphite]\naddress = \"x\"\n", "[report] is not supported by this version"),
        ("[cluster.failover]\nautomatic = true\n", "automatic failover, is not supported"),
        ("[cluster.switch]\nstrategy = \"availability-first\"\n", "`availability-first` is not"),
    ] {
        let said = mistakes(&with_cluster(text));
        assert!(said.len() == 1 && said[0].contains(what), "{said:?}");
    }
    for kind in ["file", "lainlet", "dns"] {
        let text = LEAST.replace("\"static\"", &format!("\"{kind}\""));
        let said = mistakes(&text);
        let expected = format!("a discovery by {kind} is not supported by this version");
        assert!(said.len() == 1 && said[0].contains(&expected), "{said:?}");
    }
    let typo = mistakes(&LEAST.replace("\"static\"", "\"lanlet\""));
    assert!(typo[0].contains("did you mean `lainlet`?"), "{typo:?}");
}

#[test]
fn without_a_login_http_binds_loopback_only() {
    let said = mistakes(&with_cluster("[monitor]\nhttp = \"0.0.0.0:8080\"\n"));
    assert!(said[0].starts_with("6:8: http: 0.0.0.0:8080 can be reached from outside"), "{said:?}");
}

#[test]
fn two_listeners_do_not_share_an_address() {
    let text = "[monitor]\nhttp = \"localhost:7000\"\nsse = \"127.0.0.1:7000\"\n";
    assert_eq!(mistakes(&with_cluster(text)), ["7:7: sse: 127.0.0.1:7000 is taken by http"]);
}

#[test]
fn the_environment_comes_before_the_file() {
    let text = with_cluster("[monitor]\nhttp = \"127.0.0.1:1\"\nstate = \"/a\"\n");
    let variables = [
        ("MYSQLSVC_MONITOR_HTTP", "127.0.0.1:9"),
        ("MYSQLSVC_MONITOR_STATE", "/b"),
        ("MYSQLSVC_MONITOR", "http://someone-elses:6033"),
    ];
    let config = parse_with(&text, &variables).unwrap();
    assert_eq!(config.monitor.http.port(), 9);
    assert_eq!(config.monitor.state, Path::new("/b"));
}

#[test]
fn mistakes_in_the_environment_are_named_like_those_in_the_file() {
    let variables = [("MYSQLSVC_MONITOR_HTTP", "10.0.0.1:80"), ("MYSQLSVC_MONITOR_STAT", "/b")];
    let said = parse_with(LEAST, &variables).unwrap_err().to_string();
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].starts_with(
            "environment variable MYSQLSVC_MONITOR_HTTP: http: 10.0.0.1:80 can be reached"
        ),
        "{said}"
    );
    assert!(lines[1].contains("did you mean MYSQLSVC_MONITOR_STATE?"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_said() {
    let error =
        Config::load(Path::new("/nonexistent/m.toml"), &Environment::default()).unwrap_err();
    assert!(error.to_string().starts_with("/nonexistent/m.toml: cannot read"), "{error}");
}

#[test]
fn copies_are_bounded_and_their_commands_come_in_pairs() {
    let copying = |text: &str| parse(&with_cluster(text)).map(|it| it.clusters[0].copying.clone());
    assert_eq!(copying("").unwrap(), CopySettings::default());
    let given = copying(
        "[cluster.clone]\nstall_timeout = \"90s\"\nbackup = [\"b\", \"{donor_port}\"]\n\
         restore = [\"r\"]\n",
    );
    let command =
        |words: &[&str]| CopyCommand::new(words.iter().map(ToString::to_string).collect()).ok();
    let expected = CopySettings {
        stall_timeout: Duration::from_secs(90),
        backup: command(&["b", "{donor_port}"]),
        restore: command(&["r"]),
    };
    assert_eq!(given.unwrap(), expected);
    for (wrong, said) in [
        ("backup = [\"b\"]", "two ends of one stream"),
        ("backup = \"b\"\nrestore = [\"r\"]", "expected a program and its arguments"),
        ("backup = []\nrestore = [\"r\"]", "the list is empty"),
        ("backup = [\"{host}\"]\nrestore = [\"r\"]", "`{host}` is not known"),
        ("stall_timeout = \"1ms\"", "out of range"),
    ] {
        let found = mistakes(&with_cluster(&format!("[cluster.clone]\n{wrong}\n")));
        assert!(found.iter().any(|found| found.contains(said)), "{wrong}: {found:?}");
    }
}

#[test]
fn the_example_of_the_documents_is_right() {
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/monitord.toml"));
    let config = Config::load(file, &Environment::default()).unwrap();
    assert_eq!(config.clusters.len(), 1);
    // What the example shows as defaults are the defaults.
    assert_eq!(config.clusters[0].settings, Settings::default());
    assert_eq!(config.clusters[0].probe, ProbeConfig::default());
}
