//! Why a command did not do what was asked.

use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
    process::ExitCode,
};

use mysqlsvc_http::{
    client::{ApiError, TransportError},
    wire::{OperationId, OperationOutcome},
};

use crate::{output::columns, render::complaint};

/// One clear message, and an exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Api(#[from] ApiError),
    #[error("{0}")]
    Transport(#[from] TransportError),
    #[error("{0}")]
    Usage(String),
    #[error("cannot read the token file {file}: {error}")]
    TokenFile { file: PathBuf, error: io::Error },
    #[error("cannot print: {0}")]
    Io(#[from] io::Error),
    #[error("cannot ask whether to go ahead: {0}; nothing was done")]
    CannotAsk(io::Error),
    #[error("you typed `{typed}`, not `{wanted}`: nothing was done")]
    NotConfirmed { typed: String, wanted: String },
    /// It ended, and not well; what happened was printed.
    #[error("operation {id} did not succeed: {}", word(*outcome))]
    NotSucceeded { id: OperationId, outcome: OperationOutcome },
    #[error(
        "operation {id} is still under way; `mysqlsvc operation {id} --follow` shows how it goes on"
    )]
    StillRunning { id: OperationId },
    #[error(
        "the operation goes on, but the monitor does not answer: {error}; \
         `mysqlsvc operation {id} --follow` shows what becomes of it"
    )]
    LostSight { id: OperationId, error: ApiError },
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Says it on stderr. Whoever closed our output has read enough: it counts as an error only where
    /// a change was asked for, and there it does not come here (see `Output::that_may_be_unread`).
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Self::Usage(message) => {
                say(message);
                ExitCode::from(2)
            }
            other => {
                say(&other.to_string());
                ExitCode::FAILURE
            }
        }
    }
}

fn say(message: &str) {
    let stderr = io::stderr();
    eprint!("{}", complaint(message, columns(stderr.is_terminal(), &stderr)));
}

fn word(outcome: OperationOutcome) -> &'static str {
    match outcome {
        OperationOutcome::Running => "it is under way",
        OperationOutcome::Succeeded => "it succeeded",
        OperationOutcome::RolledBack => "it was rolled back, the cluster is as it was",
        OperationOutcome::Unwinding => "it is being rolled back, a node could not be reached yet",
        OperationOutcome::Failed => "it failed",
        OperationOutcome::Abandoned => "it was abandoned",
    }
}
