//! One planned switch, seen from the API and from the application at the same time.

use std::time::{Duration, Instant};

use mysqlsvc_http::wire::{OperationDocument, OperationOutcome, PlanDocument, SwitchRequest};
use tokio::time::sleep;

use super::{
    application::Application,
    failure::Failure,
    figures::SwitchFigures,
    ground::Ground,
    screen::Screen,
    view::{self, Pulse},
};

/// How long the cluster may take to be ready for the next switch.
const READY: Duration = Duration::from_mins(1);
/// Longer than every limit within a switch together.
const SWITCH: Duration = Duration::from_secs(40);
const BACK_AT_WORK: Duration = Duration::from_mins(1);
/// A step is shown so soon after it was done.
const POLL: Duration = Duration::from_millis(20);

/// A switch that succeeded.
pub(super) struct Switched {
    pub(super) plan: PlanDocument,
    pub(super) operation: OperationDocument,
    pub(super) figures: SwitchFigures,
}

/// Moves the master to `to`, and waits until every writer has written again.
pub(super) async fn switch(
    ground: &Ground,
    application: &mut Application,
    to: &str,
    screen: &Screen,
) -> Result<Switched, Failure> {
    ground.product.await_switchable(to, READY).await?;
    let request =
        SwitchRequest { to: to.to_owned(), strategy: None, dry_run: false, confirm: None };
    let (api, cluster) = (ground.product.api(), ground.product.cluster());
    let plan = api.plan_switch(cluster, request.clone()).await;
    let plan = plan.map_err(Failure::api("ask for the plan of a switch"))?;

    let errors = application.writers.errors();
    let begun = Instant::now();
    let operation = follow(ground, application, &plan, request, screen).await?;
    let ended = Instant::now();
    succeeded(&operation, to)?;
    if !application.writers.all_wrote_since(ended, BACK_AT_WORK).await {
        let errors = format!("{:?}", application.writers.errors());
        return Err(Failure::NoWrites { seconds: BACK_AT_WORK.as_secs(), errors });
    }
    let gap = application.writers.gap(begun, ended);
    let figures = SwitchFigures {
        gap: gap.application,
        worst_writer: gap.worst_writer,
        critical_section: operation.critical_section_ms.and_then(duration),
        errors: application.writers.errors().since(&errors),
    };
    Ok(Switched { plan, operation, figures })
}

/// Begins the switch and shows its steps until it is over.
async fn follow(
    ground: &Ground,
    application: &mut Application,
    plan: &PlanDocument,
    request: SwitchRequest,
    screen: &Screen,
) -> Result<OperationDocument, Failure> {
    let (api, cluster) = (ground.product.api(), ground.product.cluster());
    let to = request.to.clone();
    let begun = Instant::now();
    // Where nobody watches nothing is asked in between.
    let wait = (!screen.is_terminal()).then_some(SWITCH);
    let asked = api.switch(cluster, request, wait).await;
    let mut operation = asked.map_err(Failure::api("switch"))?;
    while !operation.outcome.is_final() {
        if begun.elapsed() > SWITCH {
            return Err(Failure::SwitchTooSlow { to, seconds: SWITCH.as_secs() });
        }
        let mut lines = view::steps(plan, &operation, screen.style());
        lines.push(String::new());
        lines.push(view::pulse(&Pulse::of(application, None), screen.style()));
        screen.live(&lines);
        sleep(POLL).await;
        let seen = api.operation(cluster, &operation.id).await;
        operation = seen.map_err(Failure::api("look at the switch"))?;
    }
    Ok(operation)
}

fn succeeded(operation: &OperationDocument, to: &str) -> Result<(), Failure> {
    if operation.outcome == OperationOutcome::Succeeded {
        return Ok(());
    }
    let reason = operation.error.clone().unwrap_or_else(|| "no reason given".to_owned());
    Err(Failure::Switch { to: to.to_owned(), outcome: operation.outcome, reason })
}

fn duration(milliseconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(milliseconds / 1e3).ok()
}
