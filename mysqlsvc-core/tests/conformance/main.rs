//! The model keeps the contract of `ReplicationBackend`, and the suite notices who does not.

mod fixture;
mod mutant;

use futures_util::FutureExt;
use mysqlsvc_core::{
    Flavor, ReplicationBackend,
    testing::{
        CallKind, Fault, FaultKind, When,
        conformance::{NonConformance, check_all, check_by_position},
    },
};

use self::{
    fixture::ModelFixture,
    mutant::{Bug, Mutant},
};

fn failures(backend: &dyn ReplicationBackend, fixture: &ModelFixture) -> Vec<NonConformance> {
    let run = check_all(backend, fixture).now_or_never();
    run.unwrap_or_else(|| panic!("a future of the model is ready at once"))
}

#[test]
fn the_model_conforms_in_both_flavours() {
    for flavor in [Flavor::MySql, Flavor::MariaDb] {
        let fixture = ModelFixture::new(flavor);
        let failed = failures(&fixture.world, &fixture);
        assert!(failed.is_empty(), "{flavor}: {failed:#?}");
    }
}

#[test]
fn a_backend_that_fails_once_is_noticed_whatever_it_failed_at() {
    for kind in [
        CallKind::Look,
        CallKind::Inspect,
        CallKind::Freeze,
        CallKind::Thaw,
        CallKind::Close,
        CallKind::AwaitExecuted,
        CallKind::Open,
        CallKind::Follow,
        CallKind::ForgetSource,
        CallKind::KillClients,
        CallKind::AwaitQuiet,
        CallKind::OpenBeside,
        CallKind::StopReplication,
        CallKind::StartReplication,
        CallKind::SetSemiSync,
    ] {
        let fixture = ModelFixture::new(Flavor::MySql);
        let nodes = [&fixture.master, &fixture.replica];
        for node in nodes {
            let when = When::Action { kind, node: node.clone(), after: 0 };
            fixture.world.plan_fault(Fault { when, what: FaultKind::Cut { after: 1 } });
        }
        let failed = failures(&fixture.world, &fixture);
        assert!(!failed.is_empty(), "{kind:?} failed, and nothing was said");
    }
}

#[test]
fn a_backend_that_breaks_the_contract_is_noticed() {
    for flavor in [Flavor::MySql, Flavor::MariaDb] {
        for bug in Bug::ALL.into_iter().filter(|bug| bug.shows(flavor)) {
            let fixture = ModelFixture::new(flavor);
            let mutant = Mutant { world: fixture.world.clone(), bug };
            let failed = failures(&mutant, &fixture);
            assert!(!failed.is_empty(), "{flavor}: {bug:?} was not noticed");
        }
    }
}

fn failures_by_position(
    backend: &dyn ReplicationBackend,
    fixture: &ModelFixture,
) -> Vec<NonConformance> {
    let run = check_by_position(backend, fixture).now_or_never();
    run.unwrap_or_else(|| panic!("a future of the model is ready at once"))
}

#[test]
fn the_model_conforms_by_position() {
    let fixture = ModelFixture::by_position();
    let failed = failures_by_position(&fixture.world, &fixture);
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn a_backend_that_breaks_the_contract_by_position_is_noticed() {
    for bug in [
        Bug::AwaitAnswersAtOnce,
        Bug::AwaitCallsBehindUnknown,
        Bug::FreezeKillsNobody,
        Bug::FollowPassesOverItsPlace,
        Bug::ForgetKeepsTheSource,
        Bug::OpenKeepsReplicating,
        Bug::ThawDoesNothing,
    ] {
        let fixture = ModelFixture::by_position();
        let mutant = Mutant { world: fixture.world.clone(), bug };
        let failed = failures_by_position(&mutant, &fixture);
        assert!(!failed.is_empty(), "{bug:?} was not noticed");
    }
}
