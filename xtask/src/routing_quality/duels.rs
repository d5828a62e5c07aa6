//! The default policy against each rival by itself.

use std::{cmp::Ordering, fmt::Write as _};

use super::{MAIN, figures::Policy, sheet::Sheet};

/// A figure, as more is better.
type Value = fn(&Policy) -> f64;

/// With the smallest difference that counts, as a share of the figure: 0.3 % of goodput, else 1 %.
const FIGURES: [(&str, Value, f64); 4] = [
    ("goodput", |policy| policy.mean.goodput, 0.003),
    (
        "capacity",
        |policy| {
            let capacity = policy.capacity.as_ref();
            capacity.map_or(0.0, |found| found.requests_per_second)
        },
        0.01,
    ),
    ("mean E2E", |policy| -policy.mean.e2e_ms.mean, 0.01),
    ("p99 TTFT", |policy| -policy.mean.ttft_ms.p99, 0.01),
];

/// Scenarios that are better, alike and worse, by rival and figure.
pub(super) fn text(sheets: &[&Sheet]) -> String {
    let mut text = String::from("| rival |");
    for (head, ..) in FIGURES {
        write!(text, " {head} |").expect("writing to a string");
    }
    writeln!(text, "\n|---|{}", "---|".repeat(FIGURES.len())).expect("writing to a string");
    for rival in &MAIN[1..] {
        write!(text, "| {rival} |").expect("writing to a string");
        for (_, value, slack) in FIGURES {
            let [better, alike, worse] = count(sheets, rival, value, slack);
            write!(text, " {better} / {alike} / {worse} |").expect("writing to a string");
        }
        text.push('\n');
    }
    text
}

fn count(sheets: &[&Sheet], rival: &str, value: Value, slack: f64) -> [usize; 3] {
    let mut counts = [0; 3];
    for sheet in sheets {
        let (Some(ours), Some(theirs)) = (sheet.policy(MAIN[0]), sheet.policy(rival)) else {
            continue;
        };
        let at = match compare(value(ours), value(theirs), slack) {
            Ordering::Greater => 0,
            Ordering::Equal => 1,
            Ordering::Less => 2,
        };
        counts[at] += 1;
    }
    counts
}

fn compare(ours: f64, theirs: f64, slack: f64) -> Ordering {
    if (ours - theirs).abs() <= slack * theirs.abs() {
        Ordering::Equal
    } else {
        ours.total_cmp(&theirs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing_quality::figures::{Comparison, Measures, Set};

    fn sheet(goodput: [f64; 2]) -> Sheet {
        let policy = |(name, goodput): (&&str, f64)| Policy {
            name: (*name).to_owned(),
            mean: Measures {
                goodput,
                ..Measures::default()
            },
            capacity: None,
        };
        Sheet {
            set: Set::Tuning,
            comparison: Comparison {
                policies: MAIN.iter().zip(goodput).map(policy).collect(),
                ..Comparison::default()
            },
            in_time: None,
            is_mixed: false,
            has_slow_node: false,
        }
    }

    #[test]
    fn each_scenario_counts_once_and_small_differences_as_none() {
        let sheets = [[0.9, 0.8], [0.9, 0.95], [0.9, 0.901], [0.9, 0.7]].map(sheet);
        let text = text(&sheets.each_ref());
        assert!(
            text.contains("| lmetric | 2 / 1 / 1 | 0 / 4 / 0 |"),
            "{text}"
        );
        assert!(
            text.contains("| dynamo | 0 / 0 / 0 |"),
            "nobody to compare with"
        );
    }

    #[test]
    fn a_shorter_time_is_better() {
        assert_eq!(compare(-90.0, -100.0, 0.01), Ordering::Greater);
        assert_eq!(compare(-110.0, -100.0, 0.01), Ordering::Less);
        assert_eq!(compare(-100.5, -100.0, 0.01), Ordering::Equal);
    }
}
