//! Why the demo did not succeed.

use std::{io, process::ExitCode};

use mysqlsvc_http::{client::ApiError, wire::OperationOutcome};
use mysqlsvc_rig::{ProductError, SqlError};
use mysqlsvc_sandbox::SandboxError;

use super::verdict::Wrong;

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Product(#[from] ProductError),
    #[error(transparent)]
    Sql(#[from] SqlError),
    #[error("{what}: {source}")]
    Api { what: &'static str, source: Box<ApiError> },
    #[error("cannot talk to the terminal or wait for signals: {0}")]
    Io(#[from] io::Error),
    #[error("the application did not write a row for {seconds} s: {errors}")]
    NoWrites { seconds: u64, errors: String },
    #[error("the switch to {to} ended as {outcome:?}: {reason}")]
    Switch { to: String, outcome: OperationOutcome, reason: String },
    #[error("the switch to {to} is not over after {seconds} s")]
    SwitchTooSlow { to: String, seconds: u64 },
    #[error("{master} was made the master and is no server of the sandbox")]
    StrangeMaster { master: String },
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Wrong(Vec<Wrong>),
    #[error("interrupted; everything was removed again")]
    Interrupted,
}

impl Failure {
    pub(super) fn api(what: &'static str) -> impl FnOnce(ApiError) -> Self {
        move |source| Self::Api { what, source: Box::new(source) }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Sandbox(error) if error.is_usage() => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}
