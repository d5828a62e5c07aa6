//! What was measured, and the table of it.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::asker::Subject;

/// What one subject showed in one round, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    /// Time to the first token: half are below, one in a hundred is above.
    first_token: [f64; 2],
    /// Of the gateway, for each request; nothing where it has no part in it.
    cpu: f64,
}

impl Times {
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a few minutes")]
    pub(crate) fn new(nanos: &Histogram<u64>, cpu: Duration, requests: u64) -> Self {
        let micros = |quantile| nanos.value_at_quantile(quantile) as f64 / 1e3;
        Self {
            first_token: [micros(0.5), micros(0.99)],
            cpu: cpu.as_secs_f64() * 1e6 / requests as f64,
        }
    }
}

/// All subjects, in the order of [`Subject::ALL`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Round([Times; 4]);

impl Round {
    /// Notes what one subject showed.
    pub(crate) fn put(&mut self, subject: Subject, times: Times) {
        self.0[subject as usize] = times;
    }

    fn of(&self, subject: Subject) -> Times {
        self.0[subject as usize]
    }

    /// What the later subject adds to the first.
    fn added(&self, to: Subject, by: Subject, quantile: usize) -> f64 {
        self.of(by).first_token[quantile] - self.of(to).first_token[quantile]
    }
}

/// All rounds of one connector and one way.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    rounds: Vec<Round>,
}

impl Sheet {
    /// The head of the table.
    pub(crate) const HEAD: &str = "\
| connector | by | one engine, TTFT µs p50 / p99 | + gateway | hand-over itself, added | + gateway | whole, CPU µs | split, CPU µs |
| --- | --- | --- | --- | --- | --- | --- | --- |";

    /// Adds a round.
    pub(crate) fn add(&mut self, round: Round) {
        self.rounds.push(round);
    }

    /// One row.
    pub(crate) fn row(&self, connector: &str, way: &str) -> String {
        let alone = |quantile| move |round: &Round| round.of(Subject::Engine).first_token[quantile];
        let added = |to, by| {
            let [half, most] = [0, 1].map(|at| self.median(|round| round.added(to, by, at)));
            format!("{half:+.0} / {most:+.0}")
        };
        format!(
            "| {connector} | {way} | {:.0} / {:.0} | {} | {} | {} | {:.0} | {:.0} |",
            self.median(alone(0)),
            self.median(alone(1)),
            added(Subject::Engine, Subject::Whole),
            added(Subject::Engine, Subject::Pair),
            added(Subject::Pair, Subject::Split),
            self.median(|round| round.of(Subject::Whole).cpu),
            self.median(|round| round.of(Subject::Split).cpu),
        )
    }

    fn median(&self, figure: impl Fn(&Round) -> f64) -> f64 {
        let mut all: Vec<f64> = self.rounds.iter().map(figure).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_holds_the_medians_of_the_differences() {
        let mut sheet = Sheet::default();
        for at in [3.0, 1.0, 2.0] {
            let mut round = Round::default();
            for (number, subject) in (1..).zip(Subject::ALL) {
                let first_token = [at * f64::from(number) * 100.0, at * 1_000.0];
                round.put(
                    subject,
                    Times {
                        first_token,
                        cpu: at,
                    },
                );
            }
            sheet.add(round);
        }
        assert_eq!(
            sheet.row("nixl", "text"),
            "| nixl | text | 200 / 2000 | +200 / +0 | +400 / +0 | +200 / +0 | 2 | 2 |"
        );
    }
}
