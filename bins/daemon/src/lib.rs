//! What both daemons have in common: the log on stderr, the signals that end them, their
//! limit of open files.

pub mod logging;
mod open_files;
mod signals;

pub use self::{logging::LogFormat, open_files::raise_open_files, signals::EndSignals};
