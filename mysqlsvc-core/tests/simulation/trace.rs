//! What happened, one thing a line: time, who, what.

use std::fmt::{self, Display, Write as _};

use mysqlsvc_core::{
    Micros,
    engine::{Answer, Effect, Event, Refusal},
    journal::{Entry, Record},
};

/// The lines, if they are kept.
#[derive(Debug, Default)]
pub struct Trace {
    kept: Option<String>,
}

impl Trace {
    pub fn kept() -> Self {
        Self { kept: Some(String::new()) }
    }

    /// Adds a line; it is only put together where lines are kept.
    pub fn note<T: Display>(&mut self, at: Micros, what: impl FnOnce() -> T) {
        if let Some(lines) = &mut self.kept {
            let (seconds, micros) = (at.0 / 1_000_000, at.0 % 1_000_000);
            writeln!(lines, "{seconds:>4}.{micros:06} {}", what()).unwrap();
        }
    }

    pub fn lines(&self) -> &str {
        self.kept.as_deref().unwrap_or_default()
    }
}

/// An effect in few words.
pub struct Asked<'a>(pub &'a Effect);

impl Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Effect::Persist { ticket, entries } => {
                write!(f, "persist {}:", ticket.0)?;
                entries.iter().try_for_each(|entry| write!(f, " {}", Short(entry)))
            }
            Effect::Look { node } => write!(f, "look at {node}"),
            Effect::Inspect { node } => write!(f, "inspect {node}"),
            Effect::EndCopy { node } => write!(f, "end the copy to {node}"),
            Effect::Run { call, action, .. } => write!(f, "run {}: {action}", call.0),
            Effect::AwaitHold { call, operation, .. } => {
                write!(f, "await hold {}: operation {operation}", call.0)
            }
            Effect::Publish(route) => {
                let slaves: Vec<_> = route.slaves.iter().map(|slave| &slave.node).collect();
                let master = route.master.as_ref().map(|m| (&m.node, m.state.word()));
                let phase = if route.held_by().is_some() { "hold" } else { "open" };
                let (epoch, version) = (route.epoch, route.version.0);
                write!(f, "publish {epoch}.{version} {phase}: {master:?}, slaves {slaves:?}")
            }
            Effect::Reply { ticket, answer } => {
                write!(f, "reply {}: {}", ticket.0, Replied(answer))
            }
            Effect::Halt { reason } => write!(f, "halt: {reason}"),
        }
    }
}

/// An answer in few words.
pub struct Replied<'a>(pub &'a Result<Answer, Refusal>);

impl Display for Replied<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Ok(Answer::Done { .. }) => f.write_str("done"),
            Ok(Answer::Planned { plan, .. }) => write!(f, "a plan of {} steps", plan.steps.len()),
            Ok(Answer::Adoptable(adoption)) => {
                write!(f, "adoptable at {}: {:?}", adoption.epoch, adoption.roles)
            }
            Ok(Answer::Began(operation)) => write!(f, "operation {operation} began"),
            Err(refusal) => write!(f, "refused, {}: {}", refusal.reason, refusal.detail),
        }
    }
}

/// What the engine is told, in few words.
pub struct Told<'a>(pub &'a Event);

impl Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Event::Asked { ticket, request, .. } => write!(f, "asked {}: {request:?}", ticket.0),
            Event::Discovered { nodes } => write!(f, "discovered {nodes:?}"),
            Event::Heard { epoch } => write!(f, "heard of epoch {epoch}"),
            Event::Looked { node, look } => match &look.seen {
                Ok(probe) => {
                    let source = probe.replication.as_ref().map(|r| (&r.source, r.io, r.sql));
                    let (read_only, executed) = (probe.read_only, &probe.executed);
                    write!(f, "looked at {node}: {read_only:?}, {source:?}, {executed}")
                }
                Err(error) => write!(f, "looked at {node}: {error}"),
            },
            Event::Inspected { node, result, .. } => match result {
                Ok(found) => write!(f, "inspected {node}: {:?}", found.probe.read_only),
                Err(error) => write!(f, "inspected {node}: {error}"),
            },
            Event::Persisted { ticket, result } => match result {
                Ok(()) => write!(f, "persisted {}", ticket.0),
                Err(error) => write!(f, "persisted {}: {error}", ticket.0),
            },
            Event::ActionEnded { call, result } => match result {
                Ok(observed) => write!(f, "ended {}: {observed:?}", call.0),
                Err(error) => write!(f, "ended {}: {error}", call.0),
            },
            Event::HoldEnded { call, acknowledged, missing } => {
                write!(f, "hold {}: {acknowledged:?}, missing {missing:?}", call.0)
            }
            Event::TimedOut => f.write_str("timed out"),
        }
    }
}

struct Short<'a>(&'a Entry);

impl Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.record {
            Record::Began { operation, plan, .. } => {
                write!(f, "[began {operation}: {} to {}]", plan.kind, plan.to)
            }
            Record::Committed { step, commit, .. } => {
                write!(f, "[committed {step}: epoch {}]", commit.epoch)
            }
            Record::Done { step, .. } => write!(f, "[done {step}]"),
            other => write!(f, "[{other:?}]"),
        }
    }
}
