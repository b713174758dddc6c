//! How settings are changed, for good.

use super::super::{Remedy, ServerSettings};

/// A variable that can be set while the server runs.
pub(super) fn set(settings: &ServerSettings, variable: &str, value: &str) -> Remedy {
    let dialect = settings.dialect();
    let remedy = Remedy::statements([dialect.set(variable, value)]);
    if dialect.set_lasts() {
        return remedy;
    }
    Remedy { option_file: vec![format!("{variable}={value}")], ..remedy }
}

/// A variable that is read at the start only.
pub(super) fn at_start(variable: &str, value: &str) -> Remedy {
    Remedy::at_start([format!("{variable}={value}")])
}
