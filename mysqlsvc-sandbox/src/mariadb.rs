//! MariaDB servers as plain processes on loopback.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;

use crate::{
    account::Accounts,
    error::{SandboxError, io_error},
    flavor::Flavor,
    grants, home,
    node::Node,
    process::ServerProcess,
    settings, tools,
};

/// The programs without the service that the package `mariadb-server` would start on port 3306.
const PACKAGES: [&str; 2] = ["mariadb-server-core", "mariadb-client-core"];
const INSTALL_LIMIT: Duration = Duration::from_mins(1);

/// Finds or installs what is needed, before anything of a sandbox exists.
pub(crate) async fn programs() -> Result<Programs, SandboxError> {
    let server = tools::ensure("mariadbd", &PACKAGES).await?;
    let installer = tools::ensure("mariadb-install-db", &PACKAGES).await?;
    // What the installer calls.
    tools::ensure("my_print_defaults", &PACKAGES).await?;
    Ok(Programs { server, installer })
}

/// The programs of the MariaDB server package.
#[derive(Debug)]
pub(crate) struct Programs {
    server: PathBuf,
    installer: PathBuf,
}

/// What all servers of one sandbox share.
#[derive(Debug)]
pub(crate) struct MariaDb {
    programs: Programs,
    durable: bool,
    options: Vec<(String, String)>,
}

impl MariaDb {
    pub(crate) fn new(programs: Programs, durable: bool, options: Vec<(String, String)>) -> Self {
        Self { programs, durable, options }
    }

    /// Initialises one data directory, accounts included and without a binary log, and copies it
    /// for each of `count` servers, for that is much faster than initialising each.
    pub(crate) async fn prepare(
        &self,
        dir: &Path,
        accounts: &Accounts,
        count: usize,
    ) -> Result<(), SandboxError> {
        let template = dir.join("template");
        self.initialise(dir, &template, accounts).await?;
        let dir = dir.to_owned();
        let copying = tokio::task::spawn_blocking(move || {
            for node in 0..count {
                let home = node_dir(&dir, node);
                fs::create_dir(&home).map_err(io_error("make", &home))?;
                let temporary = home.join("tmp");
                fs::create_dir(&temporary).map_err(io_error("make", temporary))?;
                home::copy_tree(&template, &datadir(&dir, node))?;
            }
            fs::remove_dir_all(&template).map_err(io_error("remove", &template))
        });
        copying.await.unwrap_or_else(|panic| {
            Err(SandboxError::Command {
                what: "copying the data directory".into(),
                detail: panic.to_string(),
            })
        })
    }

    async fn initialise(
        &self,
        dir: &Path,
        template: &Path,
        accounts: &Accounts,
    ) -> Result<(), SandboxError> {
        let sql = dir.join("accounts.sql");
        let options = dir.join("template.cnf");
        home::write_private(&sql, &grants::mariadb(accounts))?;
        let text = format!(
            "[mariadbd]\ndatadir={}\ntmpdir={}\n{}innodb_log_file_size=16M\n\
             innodb_flush_log_at_trx_commit=0\ninnodb_buffer_pool_size=64M\n",
            template.display(),
            dir.display(),
            user_line(),
        );
        home::write_private(&options, &text)?;
        let mut install = Command::new(&self.programs.installer);
        install
            .arg(option("--defaults-file=", &options))
            // A host whose own name does not resolve is good enough.
            .arg("--force")
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(option("--datadir=", template))
            .arg(option("--extra-file=", &sql))
            .current_dir("/");
        if tools::is_root() {
            install.arg("--user=root");
        }
        tools::run("mariadb-install-db", install, INSTALL_LIMIT).await?;
        for path in [sql, options] {
            fs::remove_file(&path).map_err(io_error("remove", path))?;
        }
        Ok(())
    }

    /// Writes the option file of a server and starts it. It is not ready yet.
    pub(crate) fn start(
        &self,
        dir: &Path,
        index: usize,
        node: &Node,
    ) -> Result<ServerProcess, SandboxError> {
        let home = node_dir(dir, index);
        let file = home.join("my.cnf");
        home::write_private(&file, &self.option_file(&home, node))?;
        let arguments = [option("--defaults-file=", &file)];
        ServerProcess::spawn(index, &self.programs.server, &arguments, &error_log(dir, index))
    }

    fn option_file(&self, home: &Path, node: &Node) -> String {
        let mut text = format!(
            "[mariadbd]\n\
             {user}\
             datadir={datadir}\n\
             log_error={home}/error.log\n\
             pid_file={home}/mariadbd.pid\n\
             # A server that starts removes the temporary tables of others in a shared one.\n\
             tmpdir={home}/tmp\n\
             # Relative to datadir: a socket's path must stay below 108 bytes.\n\
             socket=s.sock\n\
             bind_address={host}\n\
             port={port}\n\
             report_host={host}\n\
             report_port={port}\n\
             server_id={server_id}\n",
            user = user_line(),
            datadir = node.datadir.display(),
            home = home.display(),
            host = node.host,
            port = node.port,
            server_id = node.server_id,
        );
        text.push_str(settings::of(Flavor::MariaDb));
        text.push_str(settings::durability(self.durable));
        settings::push_options(&mut text, &self.options);
        text
    }
}

fn user_line() -> &'static str {
    if tools::is_root() { "user=root\n" } else { "" }
}

fn option(name: &str, path: &Path) -> OsString {
    let mut text = OsString::from(name);
    text.push(path);
    text
}

fn node_dir(dir: &Path, index: usize) -> PathBuf {
    dir.join(format!("node{}", index + 1))
}

/// The data directory of a server.
pub(crate) fn datadir(dir: &Path, index: usize) -> PathBuf {
    node_dir(dir, index).join("data")
}

/// The error log of a server.
pub(crate) fn error_log(dir: &Path, index: usize) -> PathBuf {
    node_dir(dir, index).join("error.log")
}
