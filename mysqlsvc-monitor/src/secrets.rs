//! The secrets file of CONTRACTS 5.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use crate::mysql::{Credentials, Login};

/// Who may be able to read the secrets file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Readers {
    /// Its owner and nobody else (mode 0600 or less).
    #[default]
    OwnerOnly,
    /// The operator said that it does not matter.
    Anyone,
}

/// What the secrets file holds. Never shows itself in `Debug`.
#[derive(Debug, Clone)]
pub struct Secrets {
    dba: SecretString,
    repl: SecretString,
}

/// Why the secrets file is not used. Says line numbers and keys, never a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretsError {
    /// It cannot be read.
    #[error("{}: cannot read the secrets: {error}", .file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Others than its owner may read it.
    #[error(
        "{}: others may read the secrets (mode {mode:04o}); run: chmod 600 {} \
         (or set secrets_readable_by_others = true in [monitor])", .file.display(), .file.display()
    )]
    ReadableByOthers {
        /// Which file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What is in it is not right.
    #[error("{}", .problems.join("\n"))]
    Malformed {
        /// Each with its place.
        problems: Vec<String>,
    },
}

/// The keys of CONTRACTS 5; those behind the first two are for features that are not asked here.
const KEYS: [&str; 7] =
    ["dba_passwd", "repl_passwd", "root_passwd", "client_id", "secret", "redirect_uri", "sso_url"];

impl Secrets {
    /// Reads the file.
    pub fn load(file: &Path, readers: Readers) -> Result<Self, SecretsError> {
        let unreadable = |error| SecretsError::Unreadable { file: file.to_owned(), error };
        let mut opened = File::open(file).map_err(unreadable)?;
        // Asked of the open file, so that it cannot be another one by the time it is read.
        let mode = opened.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 && readers == Readers::OwnerOnly {
            return Err(SecretsError::ReadableByOthers { file: file.to_owned(), mode });
        }
        let mut text = String::new();
        opened.read_to_string(&mut text).map_err(unreadable)?;
        let text = SecretString::from(text);
        Self::parse(&file.display().to_string(), secrecy::ExposeSecret::expose_secret(&text))
    }

    /// Understands the text of a file; `file` is what it is called in messages.
    pub fn parse(file: &str, text: &str) -> Result<Self, SecretsError> {
        let mut found: [Option<SecretString>; KEYS.len()] = Default::default();
        let mut problems = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match understand(line) {
                Ok((key, _)) if found[key].is_some() => {
                    problems.push((number + 1, format!("{} is given twice", KEYS[key])));
                }
                Ok((key, value)) => found[key] = Some(value.into()),
                Err(message) => problems.push((number + 1, message)),
            }
        }
        let mut problems: Vec<String> = problems
            .into_iter()
            .map(|(line, message)| format!("{file}:{line}: {message}"))
            .collect();
        let [dba, repl, ..] = found;
        for (key, value) in [("dba_passwd", &dba), ("repl_passwd", &repl)] {
            if value.is_none() {
                problems.push(format!("{file}: {key} is missing; add a line {key}=PASSWORD"));
            }
        }
        match (dba, repl) {
            (Some(dba), Some(repl)) if problems.is_empty() => Ok(Self { dba, repl }),
            _ => Err(SecretsError::Malformed { problems }),
        }
    }

    /// The two accounts, by the names of CONTRACTS 5.
    pub fn credentials(&self) -> Credentials {
        Credentials {
            dba: Login::new("dba", self.dba.clone()),
            repl: Login::new("repl", self.repl.clone()),
        }
    }
}

/// A line as the place of its key in [`KEYS`] and its value. A line that is none is not shown: it
/// may be a password that lost its key.
fn understand(line: &str) -> Result<(usize, &str), String> {
    let known = || format!("the keys are {}", KEYS.join(", "));
    let Some((key, value)) = line.split_once('=') else {
        return Err(format!("expected key=value; {}", known()));
    };
    let place = KEYS
        .iter()
        .position(|known| *known == key.trim_end())
        .ok_or_else(|| format!("unknown key; {}", known()))?;
    match value.trim_start() {
        "" => Err(format!("{} is empty", KEYS[place])),
        value => Ok((place, value)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn comments_blanks_and_a_last_line_without_newline_are_taken() {
        let text = "# for the monitor\n\ndba_passwd=a=b#c\nsso_url=http://sso\n repl_passwd = r r";
        let secrets = Secrets::parse("secret.conf", text).unwrap();
        let Credentials { dba, repl } = secrets.credentials();
        assert_eq!((dba.user.as_str(), dba.password.expose_secret()), ("dba", "a=b#c"));
        assert_eq!((repl.user.as_str(), repl.password.expose_secret()), ("repl", "r r"));
    }

    #[test]
    fn nothing_secret_is_shown() {
        let secrets = Secrets::parse("f", "dba_passwd=hush1\nrepl_passwd=hush2\n").unwrap();
        assert!(!format!("{secrets:?}").contains("hush"));
        let error = Secrets::parse("f", "hush3\ndba_pass=hush4\ndba_passwd=hush5").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"));
    }

    #[test]
    fn every_mistake_is_named_with_its_line() {
        let error = Secrets::parse("f", "dba_passwd=a\nwhat\ndba_passwd=b\nsecret=").unwrap_err();
        let said = error.to_string();
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].starts_with("f:2: expected key=value"), "{said}");
        assert_eq!(lines[1], "f:3: dba_passwd is given twice");
        assert_eq!(lines[2], "f:4: secret is empty");
        assert_eq!(lines[3], "f: repl_passwd is missing; add a line repl_passwd=PASSWORD");
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_unless_told_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret.conf");
        fs::write(&file, "dba_passwd=a\nrepl_passwd=b\n").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        let error = Secrets::load(&file, Readers::OwnerOnly).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        Secrets::load(&file, Readers::Anyone).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        Secrets::load(&file, Readers::OwnerOnly).unwrap();
    }
}
