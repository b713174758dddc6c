//! The show: load, switches one after the other, the reckoning.

use std::time::{Duration, Instant};

use mysqlsvc_rig::{CheckReport, Checker, Endpoint, Ledger, ServerAudit, WriterOptions};
use tokio::time::sleep;

use super::{
    DemoArgs,
    application::{Application, PAUSE},
    failure::Failure,
    figures::{Figures, Material, SwitchFigures},
    ground::{self, Ground},
    screen::Screen,
    switching,
    view::{self, Pulse},
};

/// How long the application is watched before the first switch and after the last.
const CALM: Duration = Duration::from_millis(1500);
const BETWEEN: Duration = Duration::from_millis(500);
const SETTLED: Duration = Duration::from_mins(1);
const CATCH_UP: Duration = Duration::from_mins(1);
const FRAME: Duration = Duration::from_millis(150);

/// Runs the application, switches under it, and counts what came of it.
pub(super) async fn run(
    args: &DemoArgs,
    ground: &Ground,
    screen: &Screen,
) -> Result<Figures, Failure> {
    let checker = ground::checker(args, &ground.sandbox);
    let options = WriterOptions { writers: args.writers, first: 1, pause: PAUSE };
    let mut application = Application::start(ground, options, None).await?;
    watch(&mut application, CALM, screen).await;
    screen.say(&view::steady(&Pulse::of(&mut application, None), args.writers, screen.style()));
    screen.blank();
    let (switches, master) = all_switches(args, ground, &mut application, screen).await?;
    watch(&mut application, CALM, screen).await;
    finish(ground, application, checker, &switches, &master, screen).await
}

/// Each to the next server in the row; what was seen, and who is the master at the end.
async fn all_switches(
    args: &DemoArgs,
    ground: &Ground,
    application: &mut Application,
    screen: &Screen,
) -> Result<(Vec<SwitchFigures>, String), Failure> {
    let nodes = ground.sandbox.nodes();
    let targets = nodes.iter().cycle().skip(1).map(mysqlsvc_sandbox::Node::address);
    let mut seen = Vec::new();
    let mut master = String::new();
    for (number, to) in (1..=args.switches).zip(targets) {
        if number > 1 {
            ground.product.await_settled(SETTLED).await?;
            watch(application, BETWEEN, screen).await;
        }
        let switched = switching::switch(ground, application, &to, screen).await?;
        let style = screen.style();
        if number == 1 {
            for line in view::steps(&switched.plan, &switched.operation, style) {
                screen.say(&line);
            }
            screen.blank();
            for line in view::switch_figures(&switched, &ground.floor, style) {
                screen.say(&line);
            }
            screen.blank();
        } else {
            screen.say(&view::switch_line(number, args.switches, &switched, style));
        }
        seen.push(switched.figures);
        master = to;
    }
    Ok((seen, master))
}

/// Shows the application at work for a while.
async fn watch(application: &mut Application, time: Duration, screen: &Screen) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        screen.live(&[view::pulse(&Pulse::of(application, None), screen.style())]);
        sleep(FRAME.min(time)).await;
    }
}

/// Stops the application, and compares what it was told with what every server holds.
async fn finish(
    ground: &Ground,
    application: Application,
    checker: Checker,
    switches: &[SwitchFigures],
    master: &str,
    screen: &Screen,
) -> Result<Figures, Failure> {
    screen.doing("comparing what was acknowledged with what every server holds");
    let errors = application.writers.errors();
    let read_errors = application.readers.errors();
    let ledger = application.writers.stop().await;
    application.readers.stop().await;
    let checks = checker.stop().await;
    let audits = audit(ground, &ledger, master).await?;
    let figures = Figures::of(&Material {
        flavor: ground.sandbox.flavor(),
        version: ground.sandbox.version(),
        switches,
        servers: ground.sandbox.nodes().len(),
        floor: &ground.floor,
        ledger: &ledger,
        audits: &audits,
        errors,
        read_errors,
        checks: &checks,
    });
    report(&figures, &audits, &checks, master, screen);
    Ok(figures)
}

async fn audit(
    ground: &Ground,
    ledger: &Ledger,
    master: &str,
) -> Result<Vec<ServerAudit>, Failure> {
    let servers = ground.direct().into_iter();
    let (masters, replicas): (Vec<Endpoint>, Vec<Endpoint>) =
        servers.partition(|server| server.address() == master);
    match masters.first() {
        Some(master) => Ok(ledger.audit_all(master, &replicas, CATCH_UP).await?),
        None => Err(Failure::StrangeMaster { master: master.to_owned() }),
    }
}

fn report(
    figures: &Figures,
    audits: &[ServerAudit],
    checks: &CheckReport,
    master: &str,
    screen: &Screen,
) {
    if figures.switches > 1 {
        screen.blank();
        for line in view::all_figures(figures, screen.style()) {
            screen.say(&line);
        }
    }
    for line in view::reckoning(figures, audits, checks, master, screen.style()) {
        screen.say(&line);
    }
}
