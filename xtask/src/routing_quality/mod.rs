//! `routing-quality`: plays every preset of `gateway simulate` under every policy and writes the figures into
//! `docs/routing-quality.md`.
//!
//! Virtual time and fixed seeds: whoever repeats it gets the same figures.

mod document;
mod duels;
mod figures;
mod play;
mod sheet;
mod tables;
mod targets;

use std::path::Path;

use anyhow::Result;

use crate::tally::Tally;

const DOCUMENT: &str = "docs/routing-quality.md";

/// The policies that are compared in full, ours first.
const MAIN: [&str; 5] = [
    "latency",
    "lmetric",
    "lmetric-ms",
    "dynamo",
    "predicted-ttft",
];

/// Plays everything, some minutes on two cores, and rewrites the generated parts of the document.
///
/// # Errors
/// When the binary does not build or run, answers something unexpected, or the document has lost its markers.
pub fn run(root: &Path, tally: &mut Tally) -> Result<()> {
    let binary = testkit::gateway_binary()?;
    let sheets = play::everything(&binary)?;
    let parts = [
        ("targets", targets::text(&sheets)),
        ("reported", tables::text(&sheets, figures::Set::Reported)),
        ("tuning", tables::text(&sheets, figures::Set::Tuning)),
    ];
    document::rewrite(&root.join(DOCUMENT), &parts)?;
    tally.record("routing quality", Ok(format!("{} scenarios", sheets.len())));
    Ok(())
}
