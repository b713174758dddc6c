//! One run of planned switches under load, and the floor of bare SQL under the same load.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use mysqlsvc_http::wire::{OperationOutcome, ProxyMode};
use mysqlsvc_rig::{
    Endpoint, ErrorCounts, Product, Spread, WriterOptions, Writers, create_tables, measure_floor,
};
use mysqlsvc_sandbox::{Flavor, Sandbox};

/// Long enough for anything that works.
const LIMIT: Duration = Duration::from_mins(1);

/// Writers at full speed before the first switch, and after each.
const STEADY: Duration = Duration::from_secs(5);

/// Anything that goes wrong ends the bench: there is nothing to go on with.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What was measured on one flavour.
#[derive(Debug)]
pub struct Figures {
    /// Bare SQL: freeze, wait for the position, open.
    pub floor: Spread,
    /// Ours, from sending the freeze to knowing the new master open.
    pub critical_section: Spread,
    /// From one acknowledged write of the application to the next, over a switch.
    pub gap: Spread,
    /// Acknowledged rows.
    pub acknowledged: u64,
    /// Acknowledged rows that are not on the last master.
    pub lost: usize,
    /// What the application saw.
    pub errors: ErrorCounts,
}

/// Measures one flavour: first the floor, then `switches` planned switches to and fro between the
/// first two servers, each under `writers` writers.
pub async fn measure(flavor: Flavor, switches: u32, writers: u32) -> Result<Figures> {
    let sandbox = Sandbox::builder().flavor(flavor).nodes(4).wire(true).start().await?;
    let master = Endpoint::direct(&sandbox.nodes()[0], &sandbox.accounts().app);
    create_tables(&master).await?;
    let floor = floor(&sandbox, &master, switches, writers).await?;
    let product = Product::builder().start(&sandbox).await?;
    product.register_all(&sandbox, LIMIT).await?;
    product.await_settled(LIMIT).await?;
    product.await_serving(&sandbox.accounts().app, LIMIT).await?;
    let figures = switch_under_load(&sandbox, &product, floor, switches, writers).await;
    product.down().await?;
    sandbox.down().await?;
    figures
}

/// The writers of the floor have numbers of their own, and write to the master itself.
async fn floor(sandbox: &Sandbox, master: &Endpoint, rounds: u32, writers: u32) -> Result<Spread> {
    let options = WriterOptions { writers, first: 1_000, ..WriterOptions::default() };
    let load = Writers::start(master, options);
    steady(&load).await?;
    let floor = measure_floor(sandbox, rounds).await?;
    load.stop().await;
    Ok(Spread::of(&floor).ok_or("no round was measured")?)
}

async fn switch_under_load(
    sandbox: &Sandbox,
    product: &Product,
    floor: Spread,
    switches: u32,
    writers: u32,
) -> Result<Figures> {
    let proxy = product.proxy(ProxyMode::Master)?.endpoint(&sandbox.accounts().app);
    let load = Writers::start(&proxy, WriterOptions { writers, ..WriterOptions::default() });
    let (mut critical, mut gaps) = (Vec::new(), Vec::new());
    let pair = &sandbox.nodes()[..2];
    let mut last = &pair[0];
    for to in pair.iter().rev().cycle().take(switches as usize) {
        product.await_switchable(&to.address(), LIMIT).await?;
        steady(&load).await?;
        let from = Instant::now();
        let ended = product.switch(&to.address(), LIMIT).await?;
        if ended.outcome != OperationOutcome::Succeeded {
            return Err(format!("a switch failed: {:?}", ended.error).into());
        }
        steady(&load).await?;
        gaps.push(load.gap(from, Instant::now()).application);
        critical.extend(ended.critical_section_ms.map(|ms| Duration::from_secs_f64(ms / 1e3)));
        last = to;
    }
    let errors = load.errors();
    let ledger = load.stop().await;
    let audit = ledger.audit(&Endpoint::direct(last, &sandbox.accounts().app)).await?;
    Ok(Figures {
        floor,
        critical_section: Spread::of(&critical).ok_or("no critical section was measured")?,
        gap: Spread::of(&gaps).ok_or("no gap was measured")?,
        acknowledged: ledger.acknowledged(),
        lost: audit.lost.len(),
        errors,
    })
}

/// Waits until each writer has written since now.
async fn steady(load: &Writers) -> Result<()> {
    if load.all_wrote_since(Instant::now(), STEADY).await {
        Ok(())
    } else {
        Err(format!("some writer wrote nothing for {STEADY:?}").into())
    }
}
