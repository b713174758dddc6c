//! After the show: everything stays up, and switches that others ask for are told.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use mysqlsvc_http::wire::{OperationDocument, OperationId};
use mysqlsvc_rig::WriterOptions;
use tokio::time::sleep;

use super::{
    application::Application,
    failure::Failure,
    ground::Ground,
    screen::Screen,
    view::{self, Pulse},
};

/// The application goes on, slowly, so that hours of it fill no disk.
const WRITE_PAUSE: Duration = Duration::from_millis(100);
const READ_PAUSE: Duration = Duration::from_millis(50);
/// Rows of their own: what was compared stays as it was.
const FIRST_WRITER: u32 = 2_000_000;
const FRAME: Duration = Duration::from_millis(250);
/// A finished operation was looked for so long ago at most, its own time aside.
const REACH_BACK: Duration = Duration::from_secs(3);

/// Shows the application at work until the caller ends it.
pub(super) async fn until_interrupted(ground: &Ground, screen: &Screen) -> Result<(), Failure> {
    screen.blank();
    for line in view::what_next(ground, &ground.roles().await?, screen.style())? {
        screen.say(&line);
    }
    screen.blank();
    let options =
        WriterOptions { first: FIRST_WRITER, pause: WRITE_PAUSE, ..WriterOptions::default() };
    let mut application = Application::start(ground, options, Some(READ_PAUSE)).await?;
    let mut known: Option<BTreeSet<OperationId>> = None;
    let mut master = None;
    loop {
        let (api, cluster) = (ground.product.api(), ground.product.cluster());
        // A monitor that is gone is for the reader to try: proxies go on without it.
        if let Ok(cluster) = api.cluster(cluster).await {
            master = cluster.master;
        }
        if let Ok(operations) = api.operations(cluster).await {
            tell_new(&operations, &mut known, &application, screen);
        }
        let pulse = Pulse::of(&mut application, master.as_deref());
        screen.live(&[view::pulse(&pulse, screen.style())]);
        sleep(FRAME).await;
    }
}

fn tell_new(
    operations: &[OperationDocument],
    known: &mut Option<BTreeSet<OperationId>>,
    application: &Application,
    screen: &Screen,
) {
    let ended = operations.iter().filter(|operation| operation.outcome.is_final());
    let Some(known) = known else {
        *known = Some(ended.map(|operation| operation.id.clone()).collect());
        return;
    };
    for operation in ended {
        if known.insert(operation.id.clone()) {
            let now = Instant::now();
            let from = now.checked_sub(REACH_BACK).unwrap_or(now);
            let gap = application.writers.gap(from, now);
            screen.say(&view::others_operation(operation, gap, screen.style()));
        }
    }
}
