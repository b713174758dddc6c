//! `cargo bench -p mysqlsvc-benches [-- mariadb|mysql] [-- SWITCHES]`: our critical section beside
//! the floor that bare SQL needs for the same, in one run, under the same load.

use mysqlsvc_benches::{Figures, Result, measure};
use mysqlsvc_sandbox::Flavor;

const WRITERS: u32 = 6;

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let switches = words.iter().find_map(|word| word.parse().ok()).unwrap_or(30);
    let named = |name: &str| words.iter().any(|word| word == name);
    let flavors = [("mariadb", Flavor::MariaDb), ("mysql", Flavor::MySql)];
    let any = flavors.iter().any(|(name, _)| named(name));
    println!("{switches} switches to and fro, {WRITERS} writers; milliseconds, median and worst\n");
    println!(
        "|  | floor | ours | ours/floor | gap of the application | acknowledged | lost | errors |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (name, flavor) in flavors.into_iter().filter(|(name, _)| !any || named(name)) {
        println!("{}", row(name, &measure(flavor, switches, WRITERS).await?));
    }
    Ok(())
}

fn row(name: &str, figures: &Figures) -> String {
    let Figures { floor, critical_section, gap, acknowledged, lost, errors } = figures;
    format!(
        "| {name} | {:.1} / {:.1} | {:.1} / {:.1} | {:.2} | {:.1} / {:.1} | {acknowledged} | {lost} | {} |",
        floor.p50,
        floor.max,
        critical_section.p50,
        critical_section.max,
        critical_section.p50 / floor.p50,
        gap.p50,
        gap.max,
        errors.total(),
    )
}
