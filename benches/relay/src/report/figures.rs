//! The rows of the table, and the targets they are held against.

use crate::round::{Cost, Measured};

/// One row.
#[derive(Debug)]
pub(super) struct Figure {
    /// What it is, with its unit.
    pub(super) name: &'static str,
    /// Its value for a target in one round, beside direct in the same round. Direct itself is held
    /// against nothing.
    pub(super) value: fn(&Measured, Option<&Measured>) -> Option<f64>,
    /// Digits after the point.
    pub(super) digits: usize,
    /// What the gateway has to reach.
    pub(super) bar: Option<Bar>,
}

/// A target for the gateway.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bar {
    /// At most this many times nginx in the same round.
    TimesNginx(f64),
    /// At most this.
    AtMost(f64),
}

/// All rows, the steadiest first.
pub(super) const FIGURES: [Figure; 16] = [
    row("CPU µs per request, 1 KB", 1, |m, _| {
        cost(m, |c| c.cpu_per_request[0])
    })
    .under(Bar::TimesNginx(2.0)),
    row("CPU µs per request, 20 KB", 1, |m, _| {
        cost(m, |c| c.cpu_per_request[1])
    })
    .under(Bar::TimesNginx(2.5)),
    row("CPU µs per streamed chunk", 1, |m, _| {
        cost(m, |c| c.cpu_per_chunk)
    })
    .under(Bar::TimesNginx(1.2)),
    row("added p50 µs, 1 KB", 0, |m, d| {
        over(m, d, |m| m.latency[0].p50)
    })
    .under(Bar::TimesNginx(1.5)),
    row("added p99 µs, 1 KB", 0, |m, d| {
        over(m, d, |m| m.latency[0].p99)
    }),
    row("added p50 µs, 20 KB", 0, |m, d| {
        over(m, d, |m| m.latency[1].p50)
    })
    .under(Bar::TimesNginx(1.5)),
    row("added p99 µs, 20 KB", 0, |m, d| {
        over(m, d, |m| m.latency[1].p99)
    }),
    row("added TTFT p50 µs", 0, |m, d| {
        over(m, d, |m| m.first_chunk.p50)
    })
    .under(Bar::TimesNginx(1.5)),
    row("added TTFT p99 µs", 0, |m, d| {
        over(m, d, |m| m.first_chunk.p99)
    }),
    row("chunk transit p50 µs", 0, |m, _| Some(m.transit.p50)),
    row("chunk transit p99 µs", 0, |m, _| Some(m.transit.p99)),
    row("requests a second, 1 KB", 0, |m, _| Some(m.per_second[0])),
    row("requests a second, 20 KB", 0, |m, _| Some(m.per_second[1])),
    row("resident MB, idle", 1, |m, _| {
        cost(m, |c| super::megabytes(c.resident_idle))
    })
    .under(Bar::AtMost(15.0)),
    row("resident MB, after", 1, |m, _| {
        cost(m, |c| super::megabytes(c.resident_after))
    }),
    row("start to first reply, ms", 0, |m, _| {
        cost(m, |c| c.start_up.as_secs_f64() * 1e3)
    })
    .under(Bar::AtMost(50.0)),
];

const fn row(
    name: &'static str,
    digits: usize,
    value: fn(&Measured, Option<&Measured>) -> Option<f64>,
) -> Figure {
    Figure {
        name,
        value,
        digits,
        bar: None,
    }
}

impl Figure {
    const fn under(mut self, bar: Bar) -> Self {
        self.bar = Some(bar);
        self
    }
}

fn cost(measured: &Measured, value: fn(&Cost) -> f64) -> Option<f64> {
    measured.cost.as_ref().map(value)
}

fn over(
    measured: &Measured,
    direct: Option<&Measured>,
    value: fn(&Measured) -> f64,
) -> Option<f64> {
    Some(value(measured) - direct.map_or(0.0, value))
}
