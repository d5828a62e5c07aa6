//! The figures of one set of scenarios as tables.

use std::fmt::Write as _;

use super::{
    MAIN,
    figures::{Policy, Set},
    sheet::Sheet,
};

/// A figure of the main policies.
#[derive(Clone, Copy)]
struct Column {
    head: &'static str,
    decimals: usize,
    more_is_better: bool,
    value: fn(&Policy) -> Option<f64>,
}

const fn column(head: &'static str, decimals: usize, value: fn(&Policy) -> Option<f64>) -> Column {
    Column {
        head,
        decimals,
        more_is_better: false,
        value,
    }
}

const fn more(column: Column) -> Column {
    Column {
        more_is_better: true,
        ..column
    }
}

const COLUMNS: [Column; 7] = [
    column("TTFT mean", 0, |policy| Some(policy.mean.ttft_ms.mean)),
    column("TTFT p99", 0, |policy| Some(policy.mean.ttft_ms.p99)),
    column("TPOT mean", 1, |policy| Some(policy.mean.tpot_ms.mean)),
    column("E2E mean", 0, |policy| Some(policy.mean.e2e_ms.mean)),
    more(column("hits %", 1, |policy| {
        Some(policy.mean.hit_rate * 100.0)
    })),
    GOODPUT,
    more(column("capacity", 2, |policy| {
        Some(policy.capacity.as_ref()?.requests_per_second)
    })),
];

const GOODPUT: Column = more(column("goodput %", 1, |policy| {
    Some(policy.mean.goodput * 100.0)
}));

/// All tables of that set.
pub(super) fn text(sheets: &[Sheet], set: Set) -> String {
    let sheets: Vec<_> = sheets.iter().filter(|sheet| sheet.set == set).collect();
    let mut text = String::new();
    for (title, table) in [
        ("The scenarios", scenarios(&sheets)),
        ("Goodput in percent, all policies", goodput(&sheets)),
        ("The main policies", main_policies(&sheets)),
    ] {
        writeln!(text, "### {title}\n\n{table}").expect("writing to a string");
    }
    text
}

fn scenarios(sheets: &[&Sheet]) -> String {
    let mut text = head(&[
        "scenario", "what", "fleet", "requests", "req/s", "in", "out", "reuse %",
    ]);
    for sheet in sheets {
        let one = &sheet.comparison;
        let load = &one.workload;
        let cells = [
            one.scenario.clone(),
            one.about.clone(),
            one.fleet.clone(),
            load.requests.to_string(),
            format!("{:.1}", load.rate),
            format!("{:.0}", load.input_tokens),
            format!("{:.0}", load.output_tokens),
            format!("{:.0}", load.reuse * 100.0),
        ];
        text.push_str(&row(&cells));
    }
    text
}

fn goodput(sheets: &[&Sheet]) -> String {
    let Some(first) = sheets.first() else {
        return String::new();
    };
    let names = first.comparison.policies.iter().map(|policy| &*policy.name);
    let heads: Vec<_> = ["scenario"].into_iter().chain(names).collect();
    let mut text = head(&heads);
    for sheet in sheets {
        let policies: Vec<_> = sheet.comparison.policies.iter().collect();
        let mut cells = vec![sheet.comparison.scenario.clone()];
        cells.extend(GOODPUT.cells(&policies));
        text.push_str(&row(&cells));
    }
    text
}

fn main_policies(sheets: &[&Sheet]) -> String {
    let heads = ["scenario", "policy"].into_iter();
    let heads: Vec<_> = heads
        .chain(COLUMNS.iter().map(|column| column.head))
        .collect();
    let mut text = head(&heads);
    for sheet in sheets {
        let policies: Vec<_> = MAIN.iter().filter_map(|name| sheet.policy(name)).collect();
        let columns: Vec<_> = COLUMNS
            .iter()
            .map(|column| column.cells(&policies))
            .collect();
        for (at, policy) in policies.iter().enumerate() {
            let scenario = if at == 0 {
                &*sheet.comparison.scenario
            } else {
                ""
            };
            let mut cells = vec![scenario.to_owned(), policy.name.clone()];
            cells.extend(columns.iter().map(|column| column[at].clone()));
            text.push_str(&row(&cells));
        }
    }
    text
}

impl Column {
    /// One cell for each policy; the best ones, as they read, in bold.
    fn cells(&self, policies: &[&Policy]) -> Vec<String> {
        let value = |policy: &&Policy| (self.value)(policy);
        let shown = |value: f64| format!("{:.*}", self.decimals, value);
        let values: Vec<_> = policies.iter().map(value).collect();
        let known = values.iter().flatten().copied();
        let best = if self.more_is_better {
            known.reduce(f64::max)
        } else {
            known.reduce(f64::min)
        };
        let best = best.map(shown);
        let cell = |value: &Option<f64>| match value.map(shown) {
            None => "-".to_owned(),
            text if text == best => format!("**{}**", text.unwrap_or_default()),
            Some(text) => text,
        };
        values.iter().map(cell).collect()
    }
}

fn head(titles: &[&str]) -> String {
    let rule = "---|".repeat(titles.len());
    format!("| {} |\n|{rule}\n", titles.join(" | "))
}

fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing_quality::figures::{Comparison, Measures};

    fn policy(name: &str, goodput: f64) -> Policy {
        Policy {
            name: name.to_owned(),
            mean: Measures {
                goodput,
                ..Measures::default()
            },
            capacity: None,
        }
    }

    #[test]
    fn the_best_are_bold_as_they_read_and_other_sets_are_left_out() {
        let sheet = |set, scenario: &str| Sheet {
            set,
            comparison: Comparison {
                scenario: scenario.to_owned(),
                policies: vec![
                    policy("latency", 0.910_4),
                    policy("lmetric", 0.910_1),
                    policy("random", 0.5),
                ],
                ..Comparison::default()
            },
            in_time: None,
            is_mixed: false,
            has_slow_node: false,
        };
        let sheets = [sheet(Set::Reported, "one"), sheet(Set::Tuning, "two")];
        let text = text(&sheets, Set::Reported);
        assert!(
            text.contains("| scenario | latency | lmetric | random |"),
            "{text}"
        );
        assert!(
            text.contains("| one | **91.0** | **91.0** | 50.0 |"),
            "{text}"
        );
        assert!(!text.contains("two"));
        let main = text.split("### The main policies").nth(1).expect("a table");
        assert!(main.contains("|  | lmetric | ") && !main.contains("random"));
    }
}
