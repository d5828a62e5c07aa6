//! Timing, and rows of tables.

use std::time::Duration;

use gateway_benches::process_time;

const ROUNDS: usize = 5;
/// Processor time that a round is to take at least.
const ROUND: Duration = Duration::from_millis(300);

/// Nanoseconds that one pass of `work` takes; `prepare` makes what it works on, and is not timed.
pub fn nanos<T>(mut prepare: impl FnMut() -> T, mut work: impl FnMut(&mut T)) -> f64 {
    let mut round = || {
        let (mut spent, mut passes) = (Duration::ZERO, 0);
        while spent < ROUND {
            let mut state = prepare();
            let begin = process_time();
            work(&mut state);
            spent += process_time() - begin;
            passes += 1;
        }
        spent.as_nanos() as f64 / f64::from(passes)
    };
    round();
    let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| round()).collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// A table's head.
pub fn head(columns: &[&str]) {
    println!("| {} |", columns.join(" | "));
    println!("|{}", "---|".repeat(columns.len()));
}

/// One row; `unit` is what the figures are divided by.
pub fn row(name: &str, figures: &[Option<f64>], unit: f64) {
    let figures = figures.iter().map(|figure| match figure {
        Some(figure) => format!("{:.2}", figure / unit),
        None => "–".to_owned(),
    });
    println!("| {name} | {} |", figures.collect::<Vec<_>>().join(" | "));
}

/// Says where `theirs` begins to differ from `ours`; true where it does not.
pub fn is_equal(who: &str, ours: &str, theirs: &str) -> bool {
    if ours == theirs {
        return true;
    }
    let at = ours
        .bytes()
        .zip(theirs.bytes())
        .take_while(|(one, other)| one == other)
        .count();
    let around = |text: &str| {
        let text = text.as_bytes();
        String::from_utf8_lossy(&text[at.saturating_sub(20)..text.len().min(at + 60)]).into_owned()
    };
    eprintln!(
        "{who} differs at byte {at} of {}: {:?} and not {:?}",
        ours.len(),
        around(theirs),
        around(ours)
    );
    false
}
