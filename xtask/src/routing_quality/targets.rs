//! The default policy against the best of its rivals.

use std::fmt::Write as _;

use super::{
    MAIN, duels,
    figures::{Comparison, Policy, Set},
    sheet::{Sheet, named},
};

/// What is asked of the default policy. Margins are positive where it is better.
struct Target {
    what: &'static str,
    unit: &'static str,
    /// The least margin.
    at_least: f64,
    margin: fn(&Sheet) -> Option<Margin>,
}

/// How much better ours is, to one decimal: what reads alike is alike.
#[derive(Clone, Copy)]
struct Margin {
    value: f64,
    ours: f64,
    theirs: f64,
    whose: &'static str,
}

const TARGETS: [Target; 8] = [
    Target {
        what: "goodput at least theirs",
        unit: "points",
        at_least: 0.0,
        margin: goodput,
    },
    Target {
        what: "capacity at least theirs",
        unit: "%",
        at_least: 0.0,
        margin: capacity,
    },
    Target {
        what: "goodput on mixed chips above theirs",
        unit: "points",
        at_least: 0.1,
        margin: |sheet| sheet.is_mixed.then(|| goodput(sheet)).flatten(),
    },
    Target {
        what: "capacity on mixed chips 8 % above theirs",
        unit: "%",
        at_least: 8.0,
        margin: |sheet| sheet.is_mixed.then(|| capacity(sheet)).flatten(),
    },
    Target {
        what: "mean E2E never above theirs",
        unit: "%",
        at_least: 0.0,
        margin: |sheet| least(sheet, |policy| policy.mean.e2e_ms.mean),
    },
    Target {
        what: "p99 TTFT within 1.1 of the best",
        unit: "%",
        at_least: -10.0,
        margin: |sheet| least(sheet, |policy| policy.mean.ttft_ms.p99),
    },
    Target {
        what: "no goodput lost to telemetry 5 s late",
        unit: "points",
        at_least: 0.0,
        margin: staleness,
    },
    Target {
        what: "slow node: 3 points of goodput above LMetric",
        unit: "points",
        at_least: 3.0,
        margin: slow_node,
    },
];

/// Of each set a summary, rival by rival, and every miss.
pub(super) fn text(sheets: &[Sheet]) -> String {
    let mut text = String::new();
    for (set, title) in [
        (Set::Reported, "Reported scenarios"),
        (Set::Tuning, "Tuning scenarios"),
    ] {
        let sheets: Vec<_> = sheets.iter().filter(|sheet| sheet.set == set).collect();
        let (summary, misses) = (summary(&sheets), misses(&sheets));
        writeln!(text, "### {title}\n\n{summary}").expect("writing to a string");
        let duels = duels::text(&sheets);
        writeln!(
            text,
            "Scenarios in which `latency` is better / alike / worse:\n\n{duels}"
        )
        .expect("writing to a string");
        writeln!(text, "Every miss:\n\n{misses}").expect("writing to a string");
    }
    text
}

fn summary(sheets: &[&Sheet]) -> String {
    let mut text = String::from(
        "| target | met | median margin | least margin | where |\n|---|---|---|---|---|\n",
    );
    for target in &TARGETS {
        let found = sheets.iter().filter_map(|sheet| {
            let margin = (target.margin)(sheet)?;
            Some((margin.value, &*sheet.comparison.scenario))
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        let Some(&(least, scenario)) = found.first() else {
            continue;
        };
        let met = found.iter().filter(|one| one.0 >= target.at_least).count();
        let Target { what, unit, .. } = target;
        writeln!(
            text,
            "| {what} | {met} of {count} | {median:+.1} {unit} | {least:+.1} {unit} | {scenario} |",
            count = found.len(),
            median = median(&found),
        )
        .expect("writing to a string");
    }
    text
}

/// The middle of ascending margins, or the mean of the two in the middle.
fn median(margins: &[(f64, &str)]) -> f64 {
    let (low, high) = ((margins.len() - 1) / 2, margins.len() / 2);
    f64::midpoint(margins[low].0, margins[high].0)
}

fn misses(sheets: &[&Sheet]) -> String {
    let mut text = String::from(
        "| scenario | target | ours | theirs | margin | whose |\n|---|---|---|---|---|---|\n",
    );
    for sheet in sheets {
        for target in &TARGETS {
            let Some(margin) = (target.margin)(sheet) else {
                continue;
            };
            if margin.value < target.at_least {
                writeln!(
                    text,
                    "| {} | {} | {:.1} | {:.1} | {:+.1} {} | {} |",
                    sheet.comparison.scenario,
                    target.what,
                    margin.ours,
                    margin.theirs,
                    margin.value,
                    target.unit,
                    margin.whose,
                )
                .expect("writing to a string");
            }
        }
    }
    text
}

/// The best of the rivals by `value`, with its name.
fn rival(
    comparison: &Comparison,
    value: fn(&Policy) -> f64,
    best: fn(f64, f64) -> f64,
) -> Option<(f64, &'static str)> {
    let rivals = MAIN[1..].iter();
    let values = rivals.filter_map(|name| Some((value(named(comparison, name)?), *name)));
    values.reduce(|a, b| if best(a.0, b.0) == a.0 { a } else { b })
}

fn tenths(value: f64) -> f64 {
    // Adding 0 makes -0 read as 0.
    (value * 10.0).round() / 10.0 + 0.0
}

fn percent(share: f64) -> f64 {
    share * 100.0
}

/// In points.
fn goodput(sheet: &Sheet) -> Option<Margin> {
    let value = |policy: &Policy| percent(policy.mean.goodput);
    let ours = value(sheet.policy(MAIN[0])?);
    let (theirs, whose) = rival(&sheet.comparison, value, f64::max)?;
    Some(Margin {
        value: tenths(ours - theirs),
        ours,
        theirs,
        whose,
    })
}

/// In percent of theirs.
fn capacity(sheet: &Sheet) -> Option<Margin> {
    let value = |policy: &Policy| {
        let capacity = policy.capacity.as_ref();
        capacity.map_or(0.0, |found| found.requests_per_second)
    };
    let ours = value(sheet.policy(MAIN[0])?);
    let (theirs, whose) = rival(&sheet.comparison, value, f64::max)?;
    Some(Margin {
        value: tenths(percent(ours / theirs - 1.0)),
        ours,
        theirs,
        whose,
    })
}

/// In percent of theirs, of a time.
fn least(sheet: &Sheet, value: fn(&Policy) -> f64) -> Option<Margin> {
    let ours = value(sheet.policy(MAIN[0])?);
    let (theirs, whose) = rival(&sheet.comparison, value, f64::min)?;
    Some(Margin {
        value: tenths(percent(1.0 - ours / theirs)),
        ours,
        theirs,
        whose,
    })
}

/// Against itself with telemetry in time, in points.
fn staleness(sheet: &Sheet) -> Option<Margin> {
    let ours = percent(sheet.policy(MAIN[0])?.mean.goodput);
    let theirs = percent(named(sheet.in_time.as_ref()?, MAIN[0])?.mean.goodput);
    Some(Margin {
        value: tenths(ours - theirs),
        ours,
        theirs,
        whose: "itself in time",
    })
}

/// Against `LMetric`, in points.
fn slow_node(sheet: &Sheet) -> Option<Margin> {
    if !sheet.has_slow_node {
        return None;
    }
    let ours = percent(sheet.policy(MAIN[0])?.mean.goodput);
    let theirs = percent(sheet.policy(MAIN[1])?.mean.goodput);
    Some(Margin {
        value: tenths(ours - theirs),
        ours,
        theirs,
        whose: MAIN[1],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing_quality::figures::{Capacity, Measures, Spread};

    fn policy(name: &str, goodput: f64, e2e: f64, capacity: f64) -> Policy {
        let e2e_ms = Spread {
            mean: e2e,
            p99: e2e,
        };
        Policy {
            name: name.to_owned(),
            mean: Measures {
                goodput,
                e2e_ms,
                ..Measures::default()
            },
            capacity: Some(Capacity {
                requests_per_second: capacity,
            }),
        }
    }

    fn sheet(policies: Vec<Policy>) -> Sheet {
        let comparison = Comparison {
            scenario: "one".to_owned(),
            policies,
            ..Comparison::default()
        };
        Sheet {
            set: Set::Reported,
            comparison,
            in_time: None,
            is_mixed: true,
            has_slow_node: true,
        }
    }

    #[test]
    fn margins_are_taken_from_the_best_rival_and_misses_are_told() {
        let sheet = sheet(vec![
            policy("latency", 0.90, 1_100.0, 10.7),
            policy("lmetric", 0.88, 1_000.0, 9.0),
            policy("dynamo", 0.80, 1_300.0, 10.0),
            policy("random", 0.99, 1.0, 99.0),
        ]);
        let value = |margin: Option<Margin>| margin.map(|one| (one.value, one.whose));
        assert_eq!(value(goodput(&sheet)), Some((2.0, "lmetric")));
        assert_eq!(value(capacity(&sheet)), Some((7.0, "dynamo")));
        let e2e = least(&sheet, |policy| policy.mean.e2e_ms.mean);
        assert_eq!(value(e2e), Some((-10.0, "lmetric")));
        assert_eq!(value(slow_node(&sheet)), Some((2.0, "lmetric")));
        assert!(staleness(&sheet).is_none());

        let text = text(&[sheet]);
        assert!(text.contains("| goodput at least theirs | 1 of 1 | +2.0 points"));
        assert!(
            text.contains(
                "| one | capacity on mixed chips 8 % above theirs | 10.7 | 10.0 | +7.0 %"
            )
        );
        assert!(text.contains("| one | mean E2E never above theirs | 1100.0 |"));
        assert!(!text.contains("| one | capacity at least theirs |"));
    }
}
