//! Under which conditions a run was made.

use std::fs;

use crate::args::Args;
use crate::load::CONNECTIONS;
use crate::round::OPEN_RATE;
use crate::subject;

/// A few lines that belong above every table.
pub(super) fn describe(args: &Args) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let scope = if args.memory {
        format!(
            "Up to {} distinct prompts of 1 KB, {CONNECTIONS} connections",
            args.prompts
        )
    } else {
        let seconds = args.lengths().scenario.as_secs_f64();
        format!(
            "Rounds: {}; {seconds} s a scenario; open loop at {OPEN_RATE} requests a second; {CONNECTIONS} connections and streams",
            args.rounds()
        )
    };
    format!(
        "# Relay\n\n{scope}.\n{cores} cores of {}, Linux {}, {}; engine, load generator and relay share them, nothing is pinned. \
         Load average at the start: {}.\n\n",
        processor().unwrap_or_else(|| "an unknown processor".to_owned()),
        first_line("/proc/sys/kernel/osrelease"),
        subject::nginx_version().unwrap_or_else(|| "no nginx".to_owned()),
        load_average(),
    )
}

/// The three load averages.
pub(super) fn load_average() -> String {
    first_line("/proc/loadavg")
        .split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}
