//! The same templates, prompts and answers through this project's token edge and through its rivals; prints tables.
//!
//! `cargo run --release`, or with the name of one part: `template`, `turns`, `detokenize`, `parse`. Every rival's output is
//! compared with ours before it is timed; where it differs, a line says how. Times are processor times of the whole
//! process, the median of five rounds.

mod detokenize;
mod parse;
mod table;
mod template;
mod turns;

use std::process::ExitCode;

/// A part's name and what runs it.
type Part = (&'static str, fn());

const PARTS: [Part; 4] = [
    ("template", template::run),
    ("turns", turns::run),
    ("detokenize", detokenize::run),
    ("parse", parse::run),
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1);
    let is_wanted = |part: &&Part| wanted.as_ref().is_none_or(|wanted| wanted == part.0);
    let parts: Vec<&Part> = PARTS.iter().filter(is_wanted).collect();
    if parts.is_empty() {
        eprintln!("no such part; there are {:?}", PARTS.map(|part| part.0));
        return ExitCode::FAILURE;
    }
    for (name, run) in parts {
        println!("\n## {name}\n");
        run();
    }
    ExitCode::SUCCESS
}
