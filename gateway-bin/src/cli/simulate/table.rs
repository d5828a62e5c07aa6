//! The table on standard output.

use std::fmt;

use gateway_sim::experiment::Comparison;

use super::columns::{COLUMNS, Cell, Column};

/// A comparison as text: policies are rows, `*` marks the best of a column.
pub(super) struct Table<'a>(pub(super) &'a Comparison);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(comparison) = self;
        head(f, comparison)?;
        let columns: Vec<(&Column, Vec<Cell>)> = COLUMNS
            .iter()
            .filter_map(|column| Some((column, column.cells(&comparison.policies)?)))
            .collect();
        let widths: Vec<usize> = columns
            .iter()
            .map(|(column, cells)| width(column, cells))
            .collect();
        let names = comparison.policies.iter().map(|policy| &*policy.name);
        let first = names.clone().map(|name| name.chars().count()).max();
        let first = first.unwrap_or(0).max("policy".len());
        let title = |column: &Column| column.title;
        let detail = |column: &Column| column.detail;
        for (label, part) in [
            ("policy", title as fn(&Column) -> &'static str),
            ("", detail),
        ] {
            write!(f, "{label:<first$}")?;
            for ((column, _), width) in columns.iter().zip(&widths) {
                // The mark's place stays free.
                write!(f, "  {:>width$} ", part(column))?;
            }
            writeln!(f)?;
        }
        for (row, name) in names.enumerate() {
            write!(f, "{name:<first$}")?;
            for ((_, cells), width) in columns.iter().zip(&widths) {
                let mark = if cells[row].best { '*' } else { ' ' };
                write!(f, "  {:>width$}{mark}", cells[row].text)?;
            }
            writeln!(f)?;
        }
        foot(f, comparison)
    }
}

fn width(column: &Column, cells: &[Cell]) -> usize {
    let longest = cells.iter().map(|cell| cell.text.len()).max();
    longest
        .unwrap_or(0)
        .max(column.title.len())
        .max(column.detail.len())
}

fn head(f: &mut fmt::Formatter<'_>, comparison: &Comparison) -> fmt::Result {
    let Comparison {
        scenario,
        about,
        fleet,
        workload,
        objectives,
        seeds,
        ..
    } = comparison;
    let colon = if about.is_empty() { "" } else { ": " };
    writeln!(f, "{scenario}{colon}{about}")?;
    writeln!(
        f,
        "{fleet}; {} requests at {:.2}/s, {:.0} tokens in, {:.0} out, {:.0} % of blocks came before",
        workload.requests,
        workload.rate,
        workload.input_tokens,
        workload.output_tokens,
        workload.reuse * 100.0
    )?;
    write!(f, "objectives: first token in {:.0} ms", objectives.ttft_ms)?;
    if objectives.ttft_ms_per_1k > 0.0 {
        write!(
            f,
            " (or {:.0} ms per 1,000 prompt tokens)",
            objectives.ttft_ms_per_1k
        )?;
    }
    writeln!(
        f,
        ", then {:.0} ms a token; {} seeds\n",
        objectives.tpot_ms,
        seeds.len()
    )
}

fn foot(f: &mut fmt::Formatter<'_>, comparison: &Comparison) -> fmt::Result {
    if comparison.policies.len() > 1 {
        writeln!(f, "\n* best of its column")?;
    }
    if let Some(goodput) = comparison.capacity_goodput {
        let percent = goodput * 100.0;
        writeln!(
            f,
            "capacity: the highest rate at which {percent:.0} % of the requests meet both objectives"
        )?;
    }
    for policy in comparison
        .policies
        .iter()
        .filter(|policy| policy.mean.rejected > 0.0)
    {
        let percent = policy.mean.rejected * 100.0;
        writeln!(
            f,
            "{} served {percent:.2} % of the requests not at all",
            policy.name
        )?;
    }
    Ok(())
}
