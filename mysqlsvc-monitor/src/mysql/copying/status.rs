//! MySQL: how far a clone is, and what it came to, as its server tells.

use super::{
    super::{
        answer::{Answer, Table},
        fault::Fault,
    },
    CopyPhase, CopyProgress,
};

/// What the server keeps of the clone in this table it keeps over its restart.
pub(super) const ASK_STATUS: &str = "SELECT STATE AS state, ERROR_NO AS error_no, \
    ERROR_MESSAGE AS error_message, \
    UNIX_TIMESTAMP(BEGIN_TIME) AS begun FROM performance_schema.clone_status; \
    SELECT STAGE AS stage, STATE AS state, CAST(ESTIMATE AS UNSIGNED) AS estimate, \
    CAST(DATA AS UNSIGNED) AS data FROM performance_schema.clone_progress ORDER BY ID";

/// What a clone came to, as far as the server tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// None was begun since.
    Nothing,
    /// It goes on; anything that moves changes this.
    UnderWay(CopyProgress, String),
    Completed,
    Failed(String),
}

/// What a server answered to [`ASK_STATUS`]. A clone that began before `since`, in seconds since 1970
/// by its own clock, is not ours.
pub(super) fn seen(answer: &Answer, since: f64) -> Result<Seen, Fault> {
    let Ok(status) = answer.row(0) else { return Ok(Seen::Nothing) };
    let begun: f64 = status.get("begun").and_then(|text| text.parse().ok()).unwrap_or_default();
    if begun < since {
        return Ok(Seen::Nothing);
    }
    match status.text("state")? {
        "Completed" => Ok(Seen::Completed),
        "Failed" => Ok(Seen::Failed(format!(
            "{} (error {})",
            status.get("error_message").unwrap_or_default(),
            status.get("error_no").unwrap_or_default()
        ))),
        _ => under_way(answer.table(1)?),
    }
}

/// Adds up the stages.
fn under_way(all: &Table) -> Result<Seen, Fault> {
    let (mut progress, mut states, mut total) = (CopyProgress::default(), String::new(), 0);
    for row in all.rows() {
        let of = |column| row.get(column).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        progress.done_bytes += of("data");
        total += of("estimate").max(of("data"));
        let state = row.text("state")?;
        states.push_str(state);
        if state == "In Progress" {
            progress.phase = phase(row.text("stage")?);
        }
    }
    progress.total_bytes = Some(total).filter(|total| *total > 0);
    Ok(Seen::UnderWay(progress, states))
}

fn phase(stage: &str) -> CopyPhase {
    match stage {
        "DROP DATA" => CopyPhase::Preparing,
        "FILE SYNC" => CopyPhase::Applying,
        "RESTART" | "RECOVERY" => CopyPhase::Restarting,
        _ => CopyPhase::Copying,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGUN: f64 = 1000.5;

    fn answer(state: &str, stages: &[&[&str]]) -> Answer {
        let status = ["state", "error_no", "error_message", "begun"];
        let begun = BEGUN.to_string();
        let mut answer = Answer::default();
        answer.push(Table::of_columns(&status, &[&[state, "1317", "It was interrupted", &begun]]));
        answer.push(Table::of_columns(&["stage", "state", "estimate", "data"], stages));
        answer
    }

    fn progress(stages: &[&[&str]]) -> CopyProgress {
        match seen(&answer("In Progress", stages), BEGUN).unwrap() {
            Seen::UnderWay(progress, _) => progress,
            seen => panic!("{seen:?}"),
        }
    }

    #[test]
    fn bytes_are_those_of_all_stages_and_the_phase_is_that_of_the_one_under_way() {
        let dropping = progress(&[
            &["DROP DATA", "In Progress", "0", "0"],
            &["FILE COPY", "Not Started", "0", "0"],
        ]);
        assert_eq!(dropping, CopyProgress::default());
        let copied = progress(&[
            &["DROP DATA", "Completed", "0", "0"],
            &["FILE COPY", "Completed", "700", "690"],
            &["REDO COPY", "In Progress", "5", "9"],
            &["RESTART", "Not Started", "0", "0"],
        ]);
        let (phase, total_bytes) = (CopyPhase::Copying, Some(709));
        assert_eq!(copied, CopyProgress { phase, done_bytes: 699, total_bytes });
        let recovering = progress(&[&["RECOVERY", "In Progress", "0", "0"]]);
        assert_eq!(recovering.phase, CopyPhase::Restarting);
    }

    #[test]
    fn a_clone_of_before_is_not_taken_for_ours() {
        for state in ["Completed", "Failed", "In Progress"] {
            assert_eq!(seen(&answer(state, &[]), BEGUN + 0.1).unwrap(), Seen::Nothing);
            assert_ne!(seen(&answer(state, &[]), BEGUN).unwrap(), Seen::Nothing);
        }
        assert_eq!(seen(&answer("Completed", &[]), BEGUN).unwrap(), Seen::Completed);
        let why = "It was interrupted (error 1317)".to_owned();
        assert_eq!(seen(&answer("Failed", &[]), BEGUN).unwrap(), Seen::Failed(why));
        assert_eq!(seen(&Answer::default(), BEGUN).unwrap(), Seen::Nothing);
    }
}
