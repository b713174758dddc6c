//! Keeps the last open route on disk, off the path of the routes themselves.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use mysqlsvc_http::client::RouteFile;
use mysqlsvc_http::wire::{ProxyMode, Route};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

/// Longest name of a file, less what is appended while it is written.
const LONGEST_NAME: usize = 230;

/// The file of a proxy in this directory, which is made if need be. Proxies with different modes
/// and owners may share one directory; which cluster a file is of is said in it.
pub(crate) fn route_file(
    directory: &Path,
    mode: ProxyMode,
    owner: &Owner<'_>,
) -> io::Result<RouteFile> {
    fs::create_dir_all(directory)?;
    let owner = match owner {
        Owner::Named(id) => escaped(id),
        Owner::Listening(address) => escaped(&address.to_string()),
    };
    let name = format!("route-{mode}-{owner}.json");
    if name.len() > LONGEST_NAME {
        let why = format!("`{name}` is too long for a file name; choose a shorter --proxy-id");
        return Err(io::Error::new(io::ErrorKind::InvalidFilename, why));
    }
    Ok(RouteFile::new(directory.join(name)))
}

/// Who has a file to itself, and finds it again after a restart.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Owner<'a> {
    /// The proxy with this `--proxy-id`.
    Named(&'a str),
    /// The one told to listen here; port 0 stays 0, so that it is found again.
    Listening(SocketAddr),
}

/// Different names stay different, and none leaves the directory.
fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte) {
            escaped.push(byte.into());
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// The route kept last, if it is one of the cluster followed.
pub(crate) fn load(file: &RouteFile, cluster: Option<&str>) -> Option<Route> {
    let route = file.load().inspect_err(|error| tracing::warn!("{error}")).ok().flatten()?;
    if cluster.is_some_and(|cluster| !route.cluster.is_empty() && route.cluster != cluster) {
        tracing::warn!(file = %file.path().display(), cluster = route.cluster,
            "the route file is of another cluster and is left aside");
        return None;
    }
    Some(route)
}

/// Writes each open route until their sender is gone; while one is written, only the newest of
/// those that come is kept. A failure is logged, and the next route is tried again.
pub(crate) async fn keep(file: RouteFile, mut opened: watch::Receiver<Option<Arc<Route>>>) {
    while opened.changed().await.is_ok() {
        let Some(route) = opened.borrow_and_update().clone() else {
            continue;
        };
        let file = file.clone();
        let saved = spawn_blocking(move || file.save(&route)).await;
        match saved {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("{error}; a restart may not know this route"),
            Err(error) => tracing::error!(%error, "writing the route file panicked"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(cluster: &str) -> Route {
        let text = format!(r#"{{"cluster":"{cluster}","master":["db-1:3306"],"slave":[]}}"#);
        Route::from_json(&text).unwrap()
    }

    #[tokio::test]
    async fn the_newest_route_is_on_disk_once_the_sender_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let file =
            route_file(&directory.path().join("new"), ProxyMode::Master, &Owner::Named("p-1"))
                .unwrap();
        let (sender, receiver) = watch::channel(None);
        let keeping = tokio::spawn(keep(file.clone(), receiver));
        sender.send_replace(Some(Arc::new(route("a"))));
        sender.send_replace(Some(Arc::new(route("b"))));
        drop(sender);
        keeping.await.unwrap();
        assert_eq!(load(&file, None), Some(route("b")));
        assert_eq!(load(&file, Some("b")), Some(route("b")));
        assert_eq!(load(&file, Some("a")), None);
    }

    #[test]
    fn proxies_that_share_a_directory_have_files_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let path = |mode, owner| {
            let file = route_file(directory.path(), mode, &owner).unwrap();
            assert_eq!(file.path().parent(), Some(directory.path()));
            file.path().file_name().unwrap().to_str().unwrap().to_owned()
        };
        let listening = |text: &str| Owner::Listening(text.parse().unwrap());
        let names = [
            path(ProxyMode::Master, listening("0.0.0.0:3306")),
            path(ProxyMode::Slave, listening("0.0.0.0:3306")),
            path(ProxyMode::Master, listening("0.0.0.0:3307")),
            path(ProxyMode::Master, listening("10.0.0.1:3306")),
            path(ProxyMode::Master, listening("[::1]:3306")),
            path(ProxyMode::Master, Owner::Named("../x/y")),
            path(ProxyMode::Master, Owner::Named(".._x_y")),
        ];
        assert_eq!(names[0], "route-master-0.0.0.0:3306.json");
        assert_eq!(names[5], "route-master-..%2Fx%2Fy.json");
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
    }

    #[test]
    fn a_name_too_long_for_a_file_is_said_at_the_start() {
        let directory = tempfile::tempdir().unwrap();
        let long = "é".repeat(100);
        let error = route_file(directory.path(), ProxyMode::Master, &Owner::Named(&long));
        assert!(error.unwrap_err().to_string().contains("--proxy-id"));
    }
}
