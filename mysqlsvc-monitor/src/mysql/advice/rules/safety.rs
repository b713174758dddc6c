//! Errors that a replica hides instead of stopping.

use super::{
    super::{
        Advice,
        AdviceId::{ReplicaExecModeIdempotent, ReplicaSkipsErrors},
        AdviceSeverity::Warning,
        Remedy, ServerSettings,
    },
    remedy::set,
    said,
};

pub(super) fn all(settings: &ServerSettings) -> Vec<Advice> {
    said([idempotent(settings), skipping(settings)])
}

fn idempotent(settings: &ServerSettings) -> Option<Advice> {
    let (name, value) = settings.first(&["replica_exec_mode", "slave_exec_mode"])?;
    let why = "missing and duplicate rows are passed over in silence, so a replica that differs \
               from its master differs more each day and nobody is told";
    value.eq_ignore_ascii_case("IDEMPOTENT").then(|| {
        let seen = format!("{name} is {value}");
        let remedy = set(settings, name, "STRICT");
        Advice::new(ReplicaExecModeIdempotent, Warning, seen, why, remedy)
    })
}

fn skipping(settings: &ServerSettings) -> Option<Advice> {
    let (name, value) = settings.first(&["replica_skip_errors", "slave_skip_errors"])?;
    if value.is_empty() || value.eq_ignore_ascii_case("OFF") {
        return None;
    }
    let why = "a replica leaves out what fails with these errors, and differs from its master \
               from then on";
    let remedy = Remedy {
        restart: true,
        ..Remedy::note(format!("remove {name} from the option file, and compare the data"))
    };
    Some(Advice::new(ReplicaSkipsErrors, Warning, format!("{name} is {value}"), why, remedy))
}
