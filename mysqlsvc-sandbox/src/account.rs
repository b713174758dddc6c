//! Accounts that every sandbox server has, with passwords of this sandbox alone.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A password that does not show itself in debug output.
///
/// It is serialised in clear: the JSON of `sandbox up` carries it on purpose (CONTRACTS 1).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// 122 random bits as 32 hexadecimal digits, safe inside a quoted SQL string.
    pub(crate) fn random() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }

    /// The password itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// One account, `user@'%'` on every server of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Name of the user.
    pub user: String,
    /// Its password.
    pub password: Password,
}

impl Account {
    fn random(user: &str) -> Self {
        Self { user: user.to_owned(), password: Password::random() }
    }
}

/// The accounts of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// The server's administrator: every right, and may grant it.
    pub root: Account,
    /// What a monitor logs in with: exactly the rights that it needs, no more.
    pub dba: Account,
    /// What a replica logs in with at its source.
    pub repl: Account,
    /// An application: CREATE, SELECT, INSERT, UPDATE and DELETE in the schema `app`.
    pub app: Account,
    /// A careless application owner with `GRANT ALL`, whom on MariaDB read_only does not stop.
    pub boss: Account,
}

impl Accounts {
    pub(crate) fn random() -> Self {
        Self {
            root: Account::random("root"),
            dba: Account::random("dba"),
            repl: Account::random("repl"),
            app: Account::random("app"),
            boss: Account::random("boss"),
        }
    }

    /// The same secrets as `secret.conf` (CONTRACTS 5).
    pub(crate) fn secret_conf(&self) -> String {
        format!(
            "dba_passwd={}\nrepl_passwd={}\nroot_passwd={}\n",
            self.dba.password.expose(),
            self.repl.password.expose(),
            self.root.password.expose(),
        )
    }
}
