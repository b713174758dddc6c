//! A back end that answers wrongly: bugs that are planted below the engine.

use futures_util::FutureExt as _;
use mysqlsvc_core::{
    Action, ActionError, GtidSet, ReplicationBackend as _, Tag, backend::Observed, testing::World,
};

/// What it answers wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// That the new master has executed everything.
    CaughtUp,
    /// That the old master is read-only.
    Frozen,
    /// What the old master had before it was frozen.
    StalePosition,
    /// That the old master can be written again.
    Thawed,
    /// That a server follows another.
    Follows,
    /// That a write is durable, which is only on its way.
    Durable,
    /// That a look began when it ended.
    Young,
}

/// Does what is asked for, or only says so.
pub fn perform(
    world: &World,
    lie: Option<Lie>,
    action: &Action,
    tag: &Tag,
) -> Result<Observed, ActionError> {
    let honest = || now(world.perform(action, tag));
    match (lie, action) {
        (Some(Lie::CaughtUp), Action::AwaitExecuted { .. })
        | (Some(Lie::Thawed), Action::Thaw { .. })
        | (Some(Lie::Follows), Action::Follow { .. }) => Ok(Observed::Nothing),
        (Some(Lie::Frozen), Action::Freeze { .. }) => {
            position(world, action).map_or_else(honest, |position| Ok(Observed::Position(position)))
        }
        (Some(Lie::StalePosition), Action::Freeze { .. }) => {
            let before = position(world, action);
            let answer = honest()?;
            Ok(before.map_or(answer, Observed::Position))
        }
        _ => honest(),
    }
}

fn position(world: &World, action: &Action) -> Option<GtidSet> {
    now(world.look(action.node())).ok().map(|probe| probe.executed)
}

/// The model answers at once.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the model answers at once")
}
