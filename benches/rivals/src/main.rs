//! Runs the same index work through this project's prefix index and its rivals, and prints a table.
//!
//! `cargo run --release` starts one process for each subject and round; the order turns from round to round. The scores
//! of every process are checked against a reference at its end. Hashing is no part of any figure: every subject gets
//! hashes made beforehand.

mod subject;
mod trial;
mod workload;

use std::alloc::System;
use std::process::{Command, ExitCode};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: usize = 3;
const FIGURES: usize = 12;

fn main() -> ExitCode {
    if let Some(name) = std::env::args().nth(1) {
        let Some(subject) = subject::by_name(&name) else {
            eprintln!("no such subject; there are {:?}", subject::NAMES);
            return ExitCode::FAILURE;
        };
        let figures = trial::run(subject.as_ref(), ALLOCATOR);
        let numbers: Vec<_> = figures.numbers().iter().map(|number| number.to_string()).collect();
        println!("{}", numbers.join(" "));
        return ExitCode::SUCCESS;
    }
    let mut trials = vec![Vec::new(); subject::NAMES.len()];
    for round in 0..ROUNDS {
        for turn in 0..subject::NAMES.len() {
            let which = (round + turn) % subject::NAMES.len();
            trials[which].extend(child(subject::NAMES[which]));
        }
    }
    print_table(&trials);
    ExitCode::SUCCESS
}

/// One trial in a fresh process; `None`, with a word why, if it failed.
fn child(name: &str) -> Option<Vec<f64>> {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new(program).arg(name).output().expect("this program starts again");
    let line = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    if numbers.len() != FIGURES {
        eprintln!("{name} failed: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(numbers)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn print_table(trials: &[Vec<Vec<f64>>]) {
    println!("| subject | store, M blocks/s | intake, M blocks/s | intake, M blocks/processor second | bytes per block-holder | lookup p50 / p99, ns | beside a writer p50 / p99, ns | writes / lookups achieved, span | wrong scores |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for (name, trials) in subject::NAMES.iter().zip(trials).filter(|(_, trials)| !trials.is_empty()) {
        let m: Vec<f64> = (0..FIGURES).map(|at| median(trials.iter().map(|trial| trial[at]).collect())).collect();
        println!(
            "| {name} | {:.2} | {:.2} | {:.2} | {:.1} | {:.0} / {:.0} | {:.0} / {:.0} | {:.3} / {:.3}, {:.3} | {:.0} |",
            m[0] / 1e6, m[1] / 1e6, m[2] / 1e6, m[3], m[4], m[5], m[6], m[7], m[8], m[9], m[10], m[11]
        );
    }
}
