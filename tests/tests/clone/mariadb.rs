//! MariaDB: by mariadb-backup and the sample of a restoring command.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use mysqlsvc_http::wire::OperationId;
use mysqlsvc_sandbox::{Flavor, Node, Sandbox};
use mysqlsvc_tests::Bed;
use tempfile::TempDir;

use crate::{Brake, NODE, story, until_progress};

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
                 --host=\"$1\" --port=\"$2\" --target-dir={scratch}.$$ |\n\
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

impl Brake for Commands {
    async fn pull(&self, _: &Bed) {
        fs::write(self.brake(), "").unwrap();
    }

    /// Its first bytes have come over, and no others will.
    async fn until_stopped(&self, bed: &Bed, id: &OperationId) {
        until_progress(bed, id, |far| far.phase == "copying" && far.done_bytes > 0).await;
    }

    async fn release(&self, _: &Bed) {
        fs::remove_file(self.brake()).unwrap();
    }

    /// Its server was not stopped yet.
    async fn nothing_is_left(&self, bed: &Bed) {
        assert_eq!(bed.servers().ask(NODE, "SELECT @@global.read_only + 0").await, "1");
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
    story(&mut bed, &commands).await;
    bed.down().await;
}
