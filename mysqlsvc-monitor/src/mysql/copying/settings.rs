//! What an operator may set for copies (`[cluster.clone]`).

use std::time::Duration;

use mysqlsvc_core::NodeId;

/// How servers of a cluster are copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySettings {
    /// A copy in which nothing has moved for this long is given up; so is the wait for a server
    /// that is to be started.
    pub stall_timeout: Duration,
    /// MariaDB: what writes a backup of the donor to its standard output.
    pub backup: Option<CopyCommand>,
    /// MariaDB: what reads that from its standard input and makes it the node's data.
    pub restore: Option<CopyCommand>,
}

impl Default for CopySettings {
    /// Five minutes, and no commands.
    fn default() -> Self {
        Self { stall_timeout: Duration::from_mins(5), backup: None, restore: None }
    }
}

/// A program with its arguments, run as it stands and by no shell. `{node_host}`, `{node_port}`,
/// `{donor_host}` and `{donor_port}` in an argument are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyCommand {
    program: String,
    arguments: Vec<String>,
}

/// Why words are no [`CopyCommand`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCopyCommand {
    /// There is not even a program.
    #[error("the list is empty; begin with a program, for example \"ssh\"")]
    Empty,
    /// A word in braces that is nothing we know.
    #[error(
        "`{{{0}}}` is not known; there are {{node_host}}, {{node_port}}, {{donor_host}} and \
         {{donor_port}}"
    )]
    Placeholder(String),
}

const PLACEHOLDERS: [&str; 4] = ["node_host", "node_port", "donor_host", "donor_port"];

impl CopyCommand {
    /// A command by its words.
    pub fn new(words: Vec<String>) -> Result<Self, InvalidCopyCommand> {
        for word in &words {
            if let Some(unknown) = placeholders(word).find(|name| !PLACEHOLDERS.contains(name)) {
                return Err(InvalidCopyCommand::Placeholder(unknown.to_owned()));
            }
        }
        let mut words = words.into_iter();
        let program = words.next().filter(|program| !program.is_empty());
        let program = program.ok_or(InvalidCopyCommand::Empty)?;
        Ok(Self { program, arguments: words.collect() })
    }

    /// The program and its arguments for a pair of servers.
    pub(super) fn of(&self, node: &NodeId, donor: &NodeId) -> (String, Vec<String>) {
        let values = [
            ("{node_host}", node.host().to_owned()),
            ("{node_port}", node.port().to_string()),
            ("{donor_host}", donor.host().to_owned()),
            ("{donor_port}", donor.port().to_string()),
        ];
        let fill = |word: &String| {
            values.iter().fold(word.clone(), |word, (name, value)| word.replace(name, value))
        };
        (fill(&self.program), self.arguments.iter().map(fill).collect())
    }
}

/// The names in braces of a word; other braces are left as they are.
fn placeholders(word: &str) -> impl Iterator<Item = &str> {
    let name = |part: &'_ str| -> Option<usize> {
        let end = part.find('}')?;
        let fits = |c: char| c.is_ascii_lowercase() || c == '_';
        (end > 0 && part.get(..end)?.chars().all(fits)).then_some(end)
    };
    word.split('{').skip(1).filter_map(move |part| part.get(..name(part)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> Result<CopyCommand, InvalidCopyCommand> {
        CopyCommand::new(words.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn placeholders_are_filled_and_unknown_ones_refused() {
        let given = command(&["ssh", "{donor_host}", "backup --port={donor_port} {} {A}"]).unwrap();
        let of = given.of(&"n:1".parse().unwrap(), &"d:2".parse().unwrap());
        assert_eq!(of.0, "ssh");
        assert_eq!(of.1, ["d", "backup --port=2 {} {A}"]);
        assert_eq!(command(&[]), Err(InvalidCopyCommand::Empty));
        assert_eq!(command(&[""]), Err(InvalidCopyCommand::Empty));
        let unknown = InvalidCopyCommand::Placeholder("host".to_owned());
        assert_eq!(command(&["ssh", "{host}"]), Err(unknown));
    }
}
