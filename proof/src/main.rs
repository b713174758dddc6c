//! `make prove`: every configuration of the full bound, or those whose line holds all the words
//! that are given, one row each. Ends with 1 if anything is broken.

use std::{process::ExitCode, thread::available_parallelism};

use mysqlsvc_proof::{full, prove};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let threads = available_parallelism().map_or(1, usize::from);
    let mut code = ExitCode::SUCCESS;
    println!("operation | servers | may happen | states | unique | depth | time");
    for scenario in full() {
        let line = scenario.to_string();
        if !words.iter().all(|word| line.contains(word.as_str())) {
            continue;
        }
        let outcome = prove(&scenario, threads);
        println!("{line} | {outcome}");
        if let Some(broken) = &outcome.broken {
            println!("{broken}");
            code = ExitCode::FAILURE;
        }
    }
    code
}
