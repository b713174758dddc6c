//! The two accounts that are the same on every server of a cluster.

use secrecy::{ExposeSecret, SecretString};

use super::dialect::quoted;

/// A user and its password; the password shows itself nowhere.
#[derive(Debug, Clone)]
pub struct Login {
    /// Name of the user, without a host part.
    pub user: String,
    /// Its password.
    pub password: SecretString,
}

impl Login {
    /// An account by its name and password.
    pub fn new(user: impl Into<String>, password: SecretString) -> Self {
        Self { user: user.into(), password }
    }
}

/// The accounts of CONTRACTS 5.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// What the monitor itself logs in with.
    pub dba: Login,
    /// What a replica logs in with at its source.
    pub repl: Login,
}

impl Credentials {
    /// A server's words without our passwords: a syntax error echoes the statement it is about.
    pub(super) fn redact(&self, text: &str) -> String {
        [&self.dba, &self.repl]
            .into_iter()
            .map(|login| login.password.expose_secret())
            .filter(|password| !password.is_empty())
            .flat_map(|password| [quoted(password), password.to_owned()])
            .fold(text.to_owned(), |text, password| text.replace(&password, "(password)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_password_survives_in_a_text_or_in_debug_output() {
        let credentials = Credentials {
            dba: Login::new("dba", "s3cret-a".to_owned().into()),
            repl: Login::new("repl", "s3cret-b".to_owned().into()),
        };
        let shown = credentials.redact("near 's3cret-b' at line 1, not s3cret-a");
        assert_eq!(shown, "near (password) at line 1, not (password)");
        assert!(!format!("{credentials:?}").contains("s3cret"));
    }
}
