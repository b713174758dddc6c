//! Core's vocabulary in the wire's.

use mysqlsvc_core as core;
use mysqlsvc_core::plan;

use crate::wire;

pub(super) fn role(role: core::Role) -> wire::Role {
    match role {
        core::Role::Master => wire::Role::Master,
        core::Role::Standby => wire::Role::Standby,
        core::Role::Slave => wire::Role::Slave,
        core::Role::Unregistered => wire::Role::Unregistered,
    }
}

/// The word the original service answers `GET /role` with.
pub(crate) fn role_word(role: core::Role) -> &'static str {
    match role {
        core::Role::Master => "Master",
        core::Role::Standby => "Standby",
        core::Role::Slave => "Slave",
        core::Role::Unregistered => "Unregistered",
    }
}

pub(super) fn state(state: &core::NodeState) -> wire::NodeState {
    match state {
        core::NodeState::Ok => wire::NodeState::Ok,
        core::NodeState::Syncing(_) => wire::NodeState::Syncing,
        core::NodeState::Detached => wire::NodeState::Detached,
        core::NodeState::Paused(_) => wire::NodeState::Paused,
        core::NodeState::Lost { .. } => wire::NodeState::Lost,
        core::NodeState::Error(_) => wire::NodeState::Error,
        core::NodeState::Unregistered => wire::NodeState::Unregistered,
        core::NodeState::Unknown => wire::NodeState::Unknown,
    }
}

pub(super) fn strategy(strategy: plan::Strategy) -> wire::Strategy {
    match strategy {
        plan::Strategy::Reliability => wire::Strategy::Reliability,
        plan::Strategy::Availability => wire::Strategy::Availability,
    }
}

/// The strategy that a request names.
pub(crate) fn asked_strategy(strategy: wire::Strategy) -> plan::Strategy {
    match strategy {
        wire::Strategy::Reliability => plan::Strategy::Reliability,
        wire::Strategy::Availability => plan::Strategy::Availability,
    }
}

pub(super) fn flavor(flavor: core::Flavor) -> wire::Flavor {
    match flavor {
        core::Flavor::MySql => wire::Flavor::Mysql,
        core::Flavor::MariaDb => wire::Flavor::Mariadb,
    }
}

#[cfg(test)]
mod tests {
    use mysqlsvc_core::{
        NodeState,
        state::{Pause, Trouble},
    };

    use super::*;

    #[test]
    fn state_words_are_the_cores() {
        let states = [
            NodeState::Ok,
            NodeState::Detached,
            NodeState::Paused(Pause::Found),
            NodeState::Error(Trouble::Writable),
            NodeState::Unregistered,
            NodeState::Unknown,
        ];
        for one in states {
            assert_eq!(state(&one).as_str(), one.word());
        }
    }
}
