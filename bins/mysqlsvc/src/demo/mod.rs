//! `mysqlsvc demo`: the whole product on throw-away servers, and a planned switch live.

mod application;
mod failure;
mod figures;
mod ground;
mod screen;
mod show;
mod stay;
mod switching;
mod verdict;
mod view;

use std::{
    cell::RefCell,
    io::{self, Write as _},
    pin::pin,
    process::ExitCode,
};

use clap::Args;
use mysqlsvc_sandbox::Flavor;
use tokio::signal::unix::{SignalKind, signal};

use failure::Failure;
use screen::Screen;
use verdict::{Wrong, verdict, wrongs};

pub(crate) const EXAMPLES: &str = "\
Examples:
  mysqlsvc demo                                  four MariaDB servers, one switch, then stay up
  mysqlsvc demo --flavor mysql --switches 5      MySQL in containers, five switches in a row
  mysqlsvc demo --once --json                    end by itself, print one JSON document";

/// Options of `demo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DemoArgs {
    /// Kind of servers: mariadb or mysql
    #[arg(long, default_value_t = Flavor::MariaDb)]
    flavor: Flavor,
    /// How many planned switches in a row, each to another server
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    switches: u32,
    /// How many connections write
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    writers: u32,
    /// Also try to write at every server past the proxies, as application and as GRANT ALL user
    #[arg(long)]
    try_writes: bool,
    /// End after the switches instead of staying up
    #[arg(long)]
    once: bool,
}

/// Runs the demo to its end; with `json` the figures are printed as one document on stdout, and all
/// else goes to stderr.
pub(crate) async fn run(args: DemoArgs, json: bool) -> ExitCode {
    let screen = Screen::open(json);
    let shown = RefCell::new(None);
    let outcome = {
        let mut showing = pin!(perform(&args, json, &screen, &shown));
        tokio::select! {
            outcome = &mut showing => outcome,
            signals = interrupted() => signals.and_then(|()| {
                screen.blank();
                screen.doing("ending everything that was started");
                end_at_once_when_asked_again();
                shown.take().map_or(Err(Failure::Interrupted), verdict)
            }),
        }
        // What was begun is dropped here, which ends and removes it.
    };
    screen.settle();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mysqlsvc demo: {failure}");
            failure.exit_code()
        }
    }
}

/// Once the switches are done, `shown` holds all that was wrong: to end it then is no failure of its
/// own.
async fn perform(
    args: &DemoArgs,
    json: bool,
    screen: &Screen,
    shown: &RefCell<Option<Vec<Wrong>>>,
) -> Result<(), Failure> {
    let ground = ground::prepare(args, screen).await?;
    let figures = show::run(args, &ground, screen).await?;
    if json {
        print(&figures)?;
    }
    let wrongs = wrongs(&figures);
    shown.replace(Some(wrongs.clone()));
    if !args.once {
        for wrong in &wrongs {
            screen.say(&format!("  {}", screen.style().bad(&wrong.to_string())));
        }
        stay::until_interrupted(&ground, screen).await?;
    }
    ground.down().await?;
    verdict(wrongs)
}

fn print(document: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(document).map_err(io::Error::from)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::from)
}

async fn interrupted() -> Result<(), Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

/// The guards remove everything even so, they are processes of their own.
fn end_at_once_when_asked_again() {
    tokio::spawn(async {
        if interrupted().await.is_ok() {
            std::process::exit(1);
        }
    });
}
