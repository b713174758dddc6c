//! Plans and records to offer to a journal, sound and unsound.

use std::collections::{BTreeMap, BTreeSet};

use mysqlsvc_core::{
    Action, ActionError, ActionErrorKind, Epoch, Flavor, GtidSet, Identity, Micros, Millis, NodeId,
    OperationId, Role, RouteVersion,
    backend::{FollowManner, Observed, SemiSyncPart},
    intent::{Change, Member},
    journal::{Outcome, Record, StepError},
    plan::{self, Act, Commit, OperationKind, Plan, Rebuilt, Step},
};
use proptest::{prelude::*, sample::select};

use crate::table::{Kind, Past};

/// A record that is not yet told where the journal stands.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    kind: Kind,
    /// Off the step, the number or the commit that is awaited; most often it is not.
    off: usize,
    plan: Plan,
    change: Change,
    error: StepError,
    observed: Observed,
    position: Option<GtidSet>,
}

pub(crate) fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    let likely = select(vec![
        Kind::Began,
        Kind::Started,
        Kind::Done,
        Kind::Done,
        Kind::Committed,
        Kind::Undone,
        Kind::Succeeded,
    ]);
    let kind = prop_oneof![3 => likely, 2 => select(Kind::ALL.to_vec())];
    let off = prop_oneof![6 => Just(0), 1 => select(vec![1, 2, usize::MAX])];
    let draft =
        (kind, off, plan(), change(), step_error(), observed(), proptest::option::of(set()));
    let draft = draft.prop_map(|(kind, off, plan, change, error, observed, position)| Draft {
        kind,
        off,
        plan,
        change,
        error,
        observed,
        position,
    });
    proptest::collection::vec(draft, 0..80)
}

impl Draft {
    /// The record for a journal that stands there.
    pub(crate) fn record(self, past: &Past) -> Record {
        let step = past.step().unwrap_or_default().wrapping_add(self.off);
        let error = ActionError {
            node: node(0),
            action: "try".to_owned(),
            kind: ActionErrorKind::Refused,
            detail: "no".to_owned(),
        };
        let finished = |outcome| Record::Finished {
            outcome,
            critical_section: Some(Micros(7)),
            write_unavailable: None,
        };
        match self.kind {
            Kind::Changed => Record::Changed { change: self.change, who: Some("me".to_owned()) },
            Kind::Began => Record::Began {
                operation: OperationId(past.next_operation().wrapping_add(self.off as u64)),
                plan: self.plan,
                who: "me".to_owned(),
            },
            Kind::Started => Record::Started { step },
            Kind::Done => Record::Done { step, took: Micros(3), observed: self.observed },
            Kind::Failed => Record::Failed { step, error: self.error },
            Kind::Committed => {
                let own = commit_of(&self.plan);
                let awaited = past.running().and_then(|(plan, _)| commit_of(plan));
                let commit = awaited.filter(|_| self.off != 2).or(own).unwrap_or_else(empty_commit);
                let step = if self.off == 2 { past.step().unwrap_or_default() } else { step };
                Record::Committed { step, commit, position: self.position, waypoints: Vec::new() }
            }
            Kind::Skipped => Record::Skipped { step, error },
            Kind::Undone => Record::Undone { step },
            Kind::Forsaken => Record::Forsaken { step, error },
            Kind::Abandoned => Record::Abandoned { who: "me".to_owned() },
            Kind::Succeeded => finished(Outcome::Succeeded),
            Kind::RolledBack => finished(Outcome::RolledBack),
            Kind::FinishedAbandoned => finished(Outcome::Abandoned),
        }
    }
}

fn node(number: u16) -> NodeId {
    NodeId::from_parts("db", 3306 + number).unwrap()
}

fn set() -> impl Strategy<Value = GtidSet> {
    (1_u32..4, 1_u64..9).prop_map(|(server, sequence)| {
        GtidSet::parse(Flavor::MariaDb, &format!("0-{server}-{sequence}")).unwrap()
    })
}

fn observed() -> impl Strategy<Value = Observed> {
    prop_oneof![
        Just(Observed::Nothing),
        set().prop_map(Observed::Position),
        any::<u32>().prop_map(Observed::Killed),
        Just(Observed::Held { acknowledged: vec!["p".to_owned()], missing: Vec::new() }),
    ]
}

fn step_error() -> impl Strategy<Value = StepError> {
    select(vec![
        StepError::Interrupted,
        StepError::HoldExpired,
        StepError::Journal { detail: "full".to_owned() },
    ])
}

fn action() -> impl Strategy<Value = Action> {
    let limit = Millis(3000);
    select(vec![
        Action::Freeze { node: node(0), limit, spare: vec!["root".to_owned()] },
        Action::Thaw { node: node(0) },
        Action::Close { node: node(1) },
        Action::AwaitExecuted { node: node(1), position: GtidSet::empty(Flavor::MySql), limit },
        Action::Open { node: node(1) },
        Action::Follow { node: node(0), source: node(1), manner: FollowManner::Mutual, from: None },
        Action::ForgetSource { node: node(1) },
        Action::KillClients { node: node(0), spare: Vec::new() },
        Action::AwaitQuiet { node: node(0), limit },
        Action::OpenBeside { node: node(1) },
        Action::StopReplication { node: node(1) },
        Action::StartReplication { node: node(1) },
        Action::SetSemiSync { node: node(1), part: SemiSyncPart::Replica },
        Action::EnableEvents { node: node(1), events: Vec::new() },
        Action::DisableEvents { node: node(0), events: Vec::new() },
        Action::CopyFrom { node: node(0), donor: node(1) },
    ])
}

fn act() -> impl Strategy<Value = Act> {
    let limit = Millis(1000);
    prop_oneof![
        1 => Just(Act::Hold { acknowledge: limit, limit }),
        1 => Just(Act::CatchUp { node: node(1), limit }),
        3 => action().prop_map(Act::Server),
    ]
}

/// Proxies hold only before the pivot.
fn act_behind_the_pivot() -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => Just(Act::CatchUp { node: node(1), limit: Millis(1000) }),
        3 => action().prop_map(Act::Server),
    ]
}

fn roles() -> impl Strategy<Value = BTreeMap<NodeId, Role>> {
    let role = select(vec![Role::Master, Role::Standby, Role::Slave, Role::Slave]);
    proptest::collection::btree_map((0_u16..3).prop_map(node), role, 0..4)
}

fn commit() -> impl Strategy<Value = Commit> {
    let paused = proptest::collection::btree_set((0_u16..3).prop_map(node), 0..2);
    let rebuilt = (0_u16..3).prop_map(|number| {
        let identity = Identity { server_id: u32::from(number), server_uuid: None };
        Rebuilt { node: node(number), identity }
    });
    let rebuilt = proptest::option::weighted(0.2, rebuilt);
    (0_u64..12, roles(), any::<bool>(), paused, rebuilt).prop_map(
        |(epoch, roles, mutual, paused, rebuilt)| Commit {
            epoch: Epoch(epoch),
            roles,
            mutual,
            paused,
            rebuilt,
        },
    )
}

fn commit_of(plan: &Plan) -> Option<Commit> {
    plan.steps.iter().find_map(|step| match step {
        Step::Commit(commit) => Some(commit.clone()),
        _ => None,
    })
}

fn empty_commit() -> Commit {
    Commit {
        epoch: Epoch(1),
        roles: BTreeMap::new(),
        mutual: false,
        paused: BTreeSet::new(),
        rebuilt: None,
    }
}

/// A line with at most one pivot.
fn plan() -> impl Strategy<Value = Plan> {
    let undo = proptest::option::weighted(0.7, action());
    let tries = (act(), undo).prop_map(|(act, undo)| Step::Try { act, undo });
    let musts = (act_behind_the_pivot(), any::<bool>())
        .prop_map(|(act, optional)| Step::Must { act, optional });
    let steps = (
        proptest::collection::vec(tries, 0..4),
        proptest::option::weighted(0.8, commit().prop_map(Step::Commit)),
        proptest::collection::vec(musts, 0..3),
    );
    (steps, select(vec![OperationKind::Switch, OperationKind::Activate])).prop_map(
        |((tries, commit, musts), kind)| Plan {
            kind,
            from: Some(node(0)),
            to: node(1),
            strategy: plan::Strategy::Reliability,
            forecast: None,
            steps: tries.into_iter().chain(commit).chain(musts).collect(),
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    let member = (select(vec![Role::Master, Role::Standby, Role::Slave]), set());
    let registered = (0_u16..3, member).prop_map(|(number, (role, executed))| {
        let identity = Identity { server_id: u32::from(number) + 1, server_uuid: None };
        Change::Registered {
            node: node(number),
            member: Member { role, identity, executed, paused: false, copy_due: false },
            writable: true,
        }
    });
    prop_oneof![
        registered,
        (0_u16..3).prop_map(|number| Change::Unregistered { node: node(number) }),
        any::<bool>().prop_map(|mutual| Change::Mutual { mutual }),
        any::<bool>().prop_map(|on| Change::Maintenance { on }),
        (0_u64..12, any::<bool>()).prop_map(|(epoch, mutual)| {
            Change::Adopted {
                epoch: Epoch(epoch),
                members: BTreeMap::new(),
                mutual,
                writable: true,
            }
        }),
        (0_u16..3, set())
            .prop_map(|(number, executed)| Change::Seen { node: node(number), executed }),
        (0_u64..99).prop_map(|up_to| Change::VersionsReserved { up_to: RouteVersion(up_to) }),
    ]
}
