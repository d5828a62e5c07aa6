//! What is told of each policy, in the table and in the report.

use gateway_sim::experiment::PolicyResult;

/// One number of each policy.
pub(super) struct Column {
    /// What it is; the first line of its head.
    pub(super) title: &'static str,
    /// Which statistic in which unit; the second line.
    pub(super) detail: &'static str,
    better: Better,
    decimals: usize,
    value: fn(&PolicyResult) -> Option<f64>,
}

#[derive(Clone, Copy)]
enum Better {
    Less,
    More,
}

const fn less(
    title: &'static str,
    detail: &'static str,
    decimals: usize,
    value: fn(&PolicyResult) -> Option<f64>,
) -> Column {
    Column {
        title,
        detail,
        better: Better::Less,
        decimals,
        value,
    }
}

const fn more(
    title: &'static str,
    detail: &'static str,
    decimals: usize,
    value: fn(&PolicyResult) -> Option<f64>,
) -> Column {
    Column {
        better: Better::More,
        ..less(title, detail, decimals, value)
    }
}

/// All of them, from left to right.
pub(super) const COLUMNS: [Column; 13] = [
    less("TTFT", "mean ms", 0, |p| Some(p.mean.ttft_ms.mean)),
    less("TTFT", "p50 ms", 0, |p| Some(p.mean.ttft_ms.p50)),
    less("TTFT", "p90 ms", 0, |p| Some(p.mean.ttft_ms.p90)),
    less("TTFT", "p99 ms", 0, |p| Some(p.mean.ttft_ms.p99)),
    less("ITL", "p99 ms", 1, |p| Some(p.mean.itl_ms.p99)),
    less("TPOT", "mean ms", 1, |p| Some(p.mean.tpot_ms.mean)),
    less("TPOT", "p99 ms", 1, |p| Some(p.mean.tpot_ms.p99)),
    less("E2E", "mean ms", 0, |p| Some(p.mean.e2e_ms.mean)),
    less("E2E", "p99 ms", 0, |p| Some(p.mean.e2e_ms.p99)),
    more("hits", "%", 1, |p| Some(p.mean.hit_rate * 100.0)),
    more("goodput", "%", 1, |p| Some(p.mean.goodput * 100.0)),
    more("capacity", "req/s", 2, |p| {
        Some(p.capacity.as_ref()?.requests_per_second)
    }),
    less("imbalance", "max/mean", 2, |p| Some(p.mean.imbalance)),
];

/// One cell.
pub(super) struct Cell {
    pub(super) text: String,
    /// Whether no other policy has a better number, and some a worse one.
    pub(super) best: bool,
}

impl Column {
    /// One cell for each policy; none where no policy has this number.
    pub(super) fn cells(&self, policies: &[PolicyResult]) -> Option<Vec<Cell>> {
        let texts: Vec<Option<String>> = policies
            .iter()
            .map(|policy| Some(format!("{:.*}", self.decimals, (self.value)(policy)?)))
            .collect();
        // What reads alike is alike.
        let read = |text: &Option<String>| text.as_ref()?.parse::<f64>().ok();
        let numbers = || texts.iter().filter_map(read);
        let least = numbers().min_by(f64::total_cmp)?;
        let most = numbers().max_by(f64::total_cmp)?;
        let best = match self.better {
            Better::Less => least,
            Better::More => most,
        };
        let cell = |text: Option<String>| Cell {
            best: least < most && read(&text) == Some(best),
            text: text.unwrap_or_else(|| "-".to_owned()),
        };
        Some(texts.into_iter().map(cell).collect())
    }
}
