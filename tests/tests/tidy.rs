//! The tree itself: sizes of files, what may know what, and that the documents speak of what is.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Longest file of code, in lines.
const LONGEST: usize = 800;
/// Half of the files of code are shorter.
const MEDIAN: usize = 150;

/// The workspace. The variable is that of the running test, so a moved tree is found again.
fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("run by cargo");
    Path::new(&here).parent().unwrap().to_owned()
}

/// Every file below the workspace that belongs to it, by the path from there.
fn files() -> Vec<PathBuf> {
    let (root, mut found) = (root(), Vec::new());
    let mut left = vec![root.clone()];
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let (path, kind) = entry.map(|one| (one.path(), one.file_type().unwrap())).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match kind.is_dir() {
                true if matches!(name.as_str(), "target" | ".git") => {}
                true => left.push(path),
                false => found.push(path.strip_prefix(&root).unwrap().to_owned()),
            }
        }
    }
    found.sort();
    found
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

fn read(path: &Path) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn files_of_code_are_short() {
    let mut lengths: Vec<(usize, PathBuf)> = files()
        .into_iter()
        .filter(|path| is_rust(path))
        .map(|path| (read(&path).lines().count(), path))
        .collect();
    lengths.sort();
    let long: Vec<_> = lengths.iter().filter(|(length, _)| *length > LONGEST).collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines: {long:?}");
    let median = lengths[lengths.len() / 2].0;
    assert!(median < MEDIAN, "the median is {median} lines");
}

#[test]
fn no_path_of_somebodys_machine_is_in_the_tree() {
    // Put together here, so that this file is no example of it.
    let needles = ["/ro", "/ho", "/wo"].into_iter().zip(["ot/", "me/", "rk/main"]);
    let needles: Vec<String> = needles.map(|(one, other)| format!("{one}{other}")).collect();
    let mut found = Vec::new();
    for path in files() {
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        for (number, line) in (1..).zip(text.lines()) {
            if needles.iter().any(|needle| line.contains(needle)) {
                found.push(format!("{}:{number}: {line}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What each crate of the workspace may depend on, of the workspace (DESIGN 3). Whoever is not
/// listed may depend on whatever it likes.
fn may_know() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let table: [(&str, &[&str]); 5] = [
        ("mysqlsvc-core", &[]),
        ("mysqlsvc-monitor", &["mysqlsvc-core"]),
        ("mysqlsvc-http", &["mysqlsvc-core", "mysqlsvc-monitor"]),
        ("mysqlsvc-proxy", &[]),
        ("mysqlsvc-sandbox", &[]),
    ];
    table.into_iter().map(|(name, known)| (name, known.iter().copied().collect())).collect()
}

fn manifest(path: &Path) -> toml::Table {
    read(path).parse().unwrap()
}

fn names(table: Option<&toml::Value>) -> BTreeSet<String> {
    let keys = table.and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
    keys.cloned().collect()
}

/// Name and ordinary dependencies of every crate of the workspace.
fn crates() -> BTreeMap<String, BTreeSet<String>> {
    let manifests = files().into_iter().filter(|path| path.ends_with("Cargo.toml"));
    manifests
        .map(|path| manifest(&path))
        .filter_map(|manifest| {
            let name = manifest.get("package")?.get("name")?.as_str()?.to_owned();
            Some((name, names(manifest.get("dependencies"))))
        })
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let crates = crates();
    assert!(crates.len() >= 10, "{crates:?}");
    for (name, known) in may_know() {
        let ours = crates[name].iter().filter(|dependency| crates.contains_key(*dependency));
        let ours: BTreeSet<&str> = ours.map(String::as_str).collect();
        assert!(ours.is_subset(&known), "{name} knows {ours:?}, and may know {known:?}");
    }
    let proxyd = &crates["proxyd"];
    assert!(!proxyd.contains("mysqlsvc-core") && !proxyd.contains("mysqlsvc-monitor"));
}

#[test]
fn the_http_client_needs_no_monitor() {
    let manifest = manifest(Path::new("mysqlsvc-http/Cargo.toml"));
    for name in ["mysqlsvc-core", "mysqlsvc-monitor"] {
        let dependency = &manifest["dependencies"][name];
        assert_eq!(dependency.get("optional").and_then(toml::Value::as_bool), Some(true), "{name}");
    }
    let features = &manifest["features"];
    let client = features["client"].as_array().unwrap();
    let drags_in = |text: &str| text.contains("mysqlsvc-") || text == "server";
    assert!(!client.iter().filter_map(toml::Value::as_str).any(drags_in), "{client:?}");
}

#[test]
fn the_core_has_no_runtime_no_sockets_no_sql_driver() {
    let core = &crates()["mysqlsvc-core"];
    for banned in ["tokio", "hyper", "axum", "reqwest", "mysql_async", "rusqlite", "socket2"] {
        assert!(!core.contains(banned), "mysqlsvc-core depends on {banned}");
    }
    assert!(
        root().join("mysqlsvc-core/clippy.toml").exists()
            || root().join("mysqlsvc-core/.clippy.toml").exists(),
        "its purity is checked by clippy"
    );
}

#[test]
fn commands_of_the_readme_exist_in_the_makefile() {
    let makefile = read(Path::new("Makefile"));
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter(|line| !line.starts_with(['\t', '.', '#', ' ']))
        .filter_map(|line| line.split_once(':'))
        .map(|(target, _)| target)
        .collect();
    for wanted in ["demo", "test", "lint"] {
        assert!(targets.contains(wanted), "{targets:?} lacks {wanted}");
    }
    let readme = read(Path::new("README.md"));
    for wanted in ["make demo", "make test"] {
        assert!(readme.contains(wanted), "the README does not say `{wanted}`");
    }
    let words: Vec<&str> = readme.split([' ', '\n', '`']).collect();
    for pair in words.windows(2).filter(|pair| pair[0] == "make") {
        let target =
            pair[1].trim_matches(|letter: char| !letter.is_alphanumeric() && letter != '-');
        // In a sentence `make` is a verb.
        let is_command = readme.contains(&format!("`make {target}"))
            || readme.lines().any(|line| {
                line.trim_start_matches(['$', ' ']).starts_with(&format!("make {target}"))
            });
        assert!(!is_command || targets.contains(target), "`make {target}` is not in the Makefile");
    }
}

#[test]
fn files_that_the_documents_name_exist() {
    let mut missing = Vec::new();
    for document in files().into_iter().filter(|path| path.extension().is_some_and(|e| e == "md")) {
        let text = read(&document);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let file = link.split('#').next().unwrap();
            let beside = root().join(document.parent().unwrap()).join(file);
            if !beside.exists() {
                missing.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
