//! Medians over the rounds as a markdown table.

use std::fmt::Write as _;

use super::figures::{Bar, FIGURES, Figure};
use super::name;
use crate::args::Relay;
use crate::run::Round;

/// The table, how to read it, and what was bad.
pub(super) fn render(relays: &[Relay], rounds: &[Round]) -> String {
    let mut text = header(relays);
    for figure in &FIGURES {
        text.push_str(&line(figure, relays, rounds));
    }
    text.push_str(
        "\nMedians; `× nginx` is the median of each round's own ratio. `added` is over direct in the \
         same round; direct's own figure stands in its column. \
         On a busy machine only CPU figures and their ratios mean anything.\n",
    );
    text + &faults(relays, rounds)
}

fn header(relays: &[Relay]) -> String {
    let mut cells = vec!["figure".to_owned(), "direct".to_owned()];
    cells.extend(relays.iter().map(|&relay| name(relay).to_owned()));
    if against_nginx(relays).is_some() {
        cells.push("× nginx".to_owned());
    }
    if relays.contains(&Relay::Gateway) {
        cells.extend(["target".to_owned(), "met".to_owned()]);
    }
    format!(
        "{}{}",
        joined(&cells),
        joined(&vec!["---".to_owned(); cells.len()])
    )
}

fn line(figure: &Figure, relays: &[Relay], rounds: &[Round]) -> String {
    let shown = |value: Option<f64>| {
        value.map_or("–".to_owned(), |value| {
            format!("{value:.*}", figure.digits)
        })
    };
    let direct = median(
        rounds
            .iter()
            .filter_map(|round| (figure.value)(&round.direct, None)),
    );
    let mut cells = vec![figure.name.to_owned(), shown(direct)];
    cells.extend((0..relays.len()).map(|at| shown(median(values(figure, rounds, at)))));
    let ratio = against_nginx(relays).map(|places| ratio(figure, rounds, places));
    if let Some(ratio) = ratio {
        cells.push(ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}")));
    }
    if let Some(at) = relays.iter().position(|&relay| relay == Relay::Gateway) {
        let (target, met) = verdict(
            figure.bar,
            median(values(figure, rounds, at)),
            ratio.flatten(),
        );
        cells.extend([target, met.to_owned()]);
    }
    joined(&cells)
}

fn values(figure: &Figure, rounds: &[Round], at: usize) -> impl Iterator<Item = f64> {
    rounds
        .iter()
        .filter_map(move |round| (figure.value)(&round.relays[at], Some(&round.direct)))
}

/// Where the gateway and nginx stand, when both were measured.
fn against_nginx(relays: &[Relay]) -> Option<(usize, usize)> {
    let place = |wanted| relays.iter().position(|&relay| relay == wanted);
    Some((place(Relay::Gateway)?, place(Relay::Nginx)?))
}

fn ratio(figure: &Figure, rounds: &[Round], (gateway, nginx): (usize, usize)) -> Option<f64> {
    let pairs = values(figure, rounds, gateway).zip(values(figure, rounds, nginx));
    median(
        pairs
            .filter(|(_, nginx)| *nginx > 0.0)
            .map(|(gateway, nginx)| gateway / nginx),
    )
}

fn verdict(bar: Option<Bar>, value: Option<f64>, ratio: Option<f64>) -> (String, &'static str) {
    let met = |value: Option<f64>, limit: f64| match value {
        Some(value) if value <= limit => "yes",
        Some(_) => "no",
        None => "–",
    };
    match bar {
        Some(Bar::TimesNginx(limit)) => (format!("≤ {limit}× nginx"), met(ratio, limit)),
        Some(Bar::AtMost(limit)) => (format!("≤ {limit}"), met(value, limit)),
        None => (String::new(), ""),
    }
}

/// Every bad reply of the run, summed over the rounds: a median would hide one.
fn faults(relays: &[Relay], rounds: &[Round]) -> String {
    let direct = rounds.iter().map(|round| ("direct", &round.direct));
    let others = rounds.iter().flat_map(|round| {
        let names = relays.iter().map(|&relay| name(relay));
        names.zip(&round.relays)
    });
    let (mut good, mut bad, mut lines) = (0, 0, String::new());
    for (name, measured) in direct.chain(others) {
        good += measured.tally.good;
        bad += measured.tally.bad;
        if let Some(fault) = &measured.tally.first_fault {
            let _ = writeln!(
                lines,
                "- {name}: {} in one round, the first: {fault}",
                measured.tally.bad
            );
        }
    }
    format!("\n{good} good replies (right, whole, in order, ended), {bad} bad.\n{lines}")
}

/// The middle value, or the mean of the two in the middle.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

fn joined(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_even_odd_and_no_values() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
        assert_eq!(median(std::iter::empty()), None);
    }

    #[test]
    fn a_bar_is_met_up_to_its_limit() {
        assert_eq!(
            verdict(Some(Bar::TimesNginx(2.0)), Some(40.0), Some(2.0)),
            ("≤ 2× nginx".to_owned(), "yes")
        );
        assert_eq!(verdict(Some(Bar::TimesNginx(2.0)), Some(40.0), None).1, "–");
        assert_eq!(verdict(Some(Bar::AtMost(15.0)), Some(15.1), None).1, "no");
    }

    #[test]
    fn ratios_need_both_relays() {
        assert_eq!(against_nginx(&[Relay::Nginx, Relay::Gateway]), Some((1, 0)));
        assert_eq!(against_nginx(&[Relay::Gateway]), None);
    }
}
