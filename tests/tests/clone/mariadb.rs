//! MariaDB: by mariadb-backup and the sample of a restoring command.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use mysqlsvc_sandbox::{Flavor, Node, Sandbox};
use mysqlsvc_tests::Bed;
use tempfile::TempDir;

use crate::story;

/// Commands for the servers of a sandbox, which are plain processes beside us.
struct Commands {
    dir: TempDir,
}

const RESTORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/mysqlsvc-restore.sh");

impl Commands {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// While this file is there, a backup stops after its first bytes.
    fn brake(&self) -> String {
        self.path("brake")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::write(&path, format!("#!/bin/bash\nset -eo pipefail\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    }

    /// The server's address in an argument finds its files.
    fn install(&self, sandbox: &Sandbox) {
        let root = &sandbox.accounts().root;
        let login =
            format!("[mariadb-backup]\nuser={}\npassword={}\n", root.user, root.password.expose());
        fs::write(self.path("login.cnf"), login).unwrap();
        for Node { port, datadir, .. } in sandbox.nodes() {
            let home = datadir.parent().unwrap();
            std::os::unix::fs::symlink(home, self.path(&port.to_string())).unwrap();
        }
        let login = self.path("login.cnf");
        let brake = self.brake();
        let scratch = self.path("scratch");
        self.write(
            "backup",
            &format!(
                "mariadb-backup --defaults-extra-file={login} --backup --stream=mbstream \
                 --host=\"$1\" --port=\"$2\" --target-dir={scratch} |\n\
                 {{ head -c 65536; while [ -e {brake} ]; do sleep 0.05; done; cat; }}"
            ),
        );
        let dir = self.dir.path().display();
        self.write("stop", "kill \"$(cat \"$1/mariadbd.pid\")\"\nwhile [ -e \"$1/mariadbd.pid\" ]; do sleep 0.05; done");
        self.write(
            "start",
            "setsid mariadbd --defaults-file=\"$1/my.cnf\" >/dev/null 2>&1 </dev/null &",
        );
        self.write(
            "restore",
            &format!(
                "home=$(readlink {dir}/$1)\n\
                 export MYSQLSVC_DATADIR=$home/data MYSQLSVC_OWNER=$(stat -c %U:%G $home/data)\n\
                 export MYSQLSVC_STOP=\"{dir}/stop $home\" MYSQLSVC_START=\"{dir}/start $home\"\n\
                 exec {RESTORE}"
            ),
        );
    }

    fn setting(&self, name: &str, arguments: &str) -> String {
        format!("[\"{}\", {arguments}]", self.path(name))
    }
}

#[tokio::test]
async fn a_diverged_replica_is_cloned_whatever_happens_on_the_way() {
    assert!(Path::new(RESTORE).exists());
    let commands = Commands::new();
    let servers = Sandbox::builder().flavor(Flavor::MariaDb).nodes(3);
    let mut bed = Bed::start_on(servers, |builder| {
        builder
            .clone_setting(
                "backup",
                commands.setting("backup", "\"{donor_host}\", \"{donor_port}\""),
            )
            .clone_setting("restore", commands.setting("restore", "\"{node_port}\""))
    })
    .await;
    commands.install(&bed.sandbox);
    let brake = commands.brake();
    story(
        &mut bed,
        async |_: &Bed| fs::write(&brake, "").unwrap(),
        async |_: &Bed| {
            fs::remove_file(&brake).unwrap();
        },
    )
    .await;
    bed.down().await;
}
