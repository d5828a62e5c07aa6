//! `gateway simulate`: policies compared on a fleet that is not there.

mod bar;
mod columns;
mod file;
mod html;
mod list;
mod plan;
pub(super) mod policies;
mod table;

use std::{fs, path::Path, thread};

use anyhow::Context as _;
use gateway_sim::experiment::{Comparison, Policy, Progress, Scenario, run as play};

use super::{args::SimulateArgs, out};

/// What was asked for makes no sense; nothing was run.
#[derive(Debug)]
pub(super) struct Unusable(pub(super) anyhow::Error);

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl std::error::Error for Unusable {}

pub(super) fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    if args.list {
        return list(args);
    }
    let asked = plan::scenario(args).and_then(|mut scenario| {
        let policies = policies::all(std::mem::take(&mut scenario.policies))?;
        Ok((scenario, policies))
    });
    let (scenario, policies) = asked.map_err(Unusable)?;
    let comparison = with_bar(&scenario, &policies)?;
    out::line(format_args!(
        "{}",
        table::Table(&comparison).to_string().trim_end()
    ));
    if let Some(file) = &args.json {
        write_json(file, &comparison)?;
    }
    if let Some(file) = &args.html {
        write(file, &html::page(&comparison))?;
    }
    Ok(())
}

fn list(args: &SimulateArgs) -> anyhow::Result<()> {
    list::print();
    match &args.json {
        Some(file) => write_json(file, &list::Listing::of_everything()),
        None => Ok(()),
    }
}

fn write_json(file: &Path, value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value).context("the result as JSON")?;
    text.push('\n');
    write(file, &text)
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Runs on threads of its own while this one draws.
fn with_bar<P: Sync>(scenario: &Scenario<P>, policies: &[Policy]) -> anyhow::Result<Comparison> {
    let progress = Progress::default();
    let result = thread::scope(|scope| {
        let worker = scope.spawn(|| play(scenario, policies, &progress));
        bar::watch(&progress, || worker.is_finished());
        worker.join()
    });
    match result {
        Ok(result) => Ok(result?),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
