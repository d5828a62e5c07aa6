//! Lines that the source tree must not cross. Each guard says in its error what to do.

use std::path::Path;

use anyhow::Result;

use crate::tally::Tally;

mod arrows;
mod duplicates;
mod lengths;
mod neutral;
mod weight;
mod words;

/// A check on the source tree: figures when it holds, the crossings when it does not.
pub type Guard = fn(root: &Path) -> Result<String>;

/// Every guard, with the name it is printed under.
pub const GUARDS: [(&str, Guard); 8] = [
    ("crate arrows", arrows::check),
    ("core packages", weight::package_count),
    ("core has no runtime", weight::no_runtime),
    ("core has no clock", words::no_clock_in_core),
    ("border words", words::no_governance_words),
    ("lengths", lengths::check),
    ("duplicate dependencies", duplicates::check),
    ("the project speaks of itself", neutral::check),
];

/// Runs every guard on the workspace at `root`.
pub fn run(root: &Path, tally: &mut Tally) {
    for (name, guard) in GUARDS {
        tally.record(name, guard(root));
    }
}

/// An error that lists up to twenty crossings, or the figures when there are none.
fn verdict(crossings: &[String], figures: String) -> Result<String> {
    const SHOWN: usize = 20;
    if crossings.is_empty() {
        return Ok(figures);
    }
    let more = match crossings.len().saturating_sub(SHOWN) {
        0 => String::new(),
        hidden => format!("\n        and {hidden} more"),
    };
    let list = crossings[..crossings.len().min(SHOWN)].join("\n        ");
    anyhow::bail!("\n        {list}{more}")
}
