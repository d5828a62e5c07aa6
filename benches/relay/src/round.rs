//! One target through all scenarios.

use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::args::{Lengths, Relay};
use crate::fault::Fault;
use crate::load::{Kind, Prompts, Tally, Target, Until, closed_loop, open_loop, stream_load};
use crate::process::{Cpu, Usage};
use crate::subject::{Bench, Running};

/// Requests a second of the open loop.
pub(crate) const OPEN_RATE: u32 = 200;
/// Body sizes, in bytes.
pub(crate) const BODY_SIZES: [usize; 2] = [1_024, 20_480];

/// Median and 99th percentile, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Percentiles {
    /// Half are below.
    pub(crate) p50: f64,
    /// One in a hundred is above.
    pub(crate) p99: f64,
}

/// What one target showed in one round. Arrays follow [`BODY_SIZES`].
#[derive(Debug)]
pub(crate) struct Measured {
    /// Open loop: from due to checked reply.
    pub(crate) latency: [Percentiles; 2],
    /// Closed loop: good replies a second.
    pub(crate) per_second: [f64; 2],
    /// From request to first content chunk.
    pub(crate) first_chunk: Percentiles,
    /// From the engine's write of a chunk to its arrival.
    pub(crate) transit: Percentiles,
    /// Of the relay's processes; the engines have none of their own.
    pub(crate) cost: Option<Cost>,
    /// Bad replies of all scenarios.
    pub(crate) tally: Tally,
}

/// What a relay used.
#[derive(Debug)]
pub(crate) struct Cost {
    /// Closed loop: CPU microseconds per good reply.
    pub(crate) cpu_per_request: [f64; 2],
    /// Streams: CPU microseconds per content chunk.
    pub(crate) cpu_per_chunk: f64,
    /// After the first good reply, in bytes.
    pub(crate) resident_idle: u64,
    /// After all scenarios, in bytes.
    pub(crate) resident_after: u64,
    /// From start to first good reply.
    pub(crate) start_up: Duration,
}

/// Measures the engines without a relay.
///
/// # Errors
/// A scenario hangs.
pub(crate) async fn direct(bench: &Bench, lengths: Lengths) -> Result<Measured, Fault> {
    let pass = Pass {
        bench,
        lengths,
        relay: None,
        target: bench.direct(),
    };
    Ok(pass.run().await?.0)
}

/// Starts a relay, measures it, stops it.
///
/// # Errors
/// It does not start or does not last, or a scenario hangs.
pub(crate) async fn relay(
    bench: &Bench,
    relay: Relay,
    lengths: Lengths,
) -> Result<Measured, Fault> {
    let mut running = bench.start(relay).await?;
    let idle = running.usage();
    let pass = Pass {
        bench,
        lengths,
        target: running.target.clone(),
        relay: Some(&running),
    };
    let (mut measured, [small, large, chunk]) = pass.run().await?;
    running.still_runs()?;
    measured.cost = Some(Cost {
        cpu_per_request: [small, large],
        cpu_per_chunk: chunk,
        resident_idle: idle.resident_bytes,
        resident_after: running.usage().resident_bytes,
        start_up: running.start_up,
    });
    Ok(measured)
}

/// One target's way through the scenarios.
struct Pass<'a> {
    bench: &'a Bench,
    lengths: Lengths,
    relay: Option<&'a Running>,
    target: Target,
}

impl Pass<'_> {
    /// Returns what was measured and CPU microseconds per small request, large request, and chunk.
    async fn run(&self) -> Result<(Measured, [f64; 3]), Fault> {
        let prompts = |kind, size| Prompts::new(kind, size, &self.bench.serials);
        let sizes = BODY_SIZES.map(|size| prompts(Kind::Whole, size));
        let warm_up =
            closed_loop(&self.target, &sizes[0], Until::length(self.lengths.warm_up)).await?;
        let mut tally = warm_up.tally;
        let latency = [
            self.open(&sizes[0], &mut tally).await?,
            self.open(&sizes[1], &mut tally).await?,
        ];
        let (small_rate, small_cpu) = self.closed(&sizes[0], &mut tally).await?;
        let (large_rate, large_cpu) = self.closed(&sizes[1], &mut tally).await?;

        let before = self.cpu();
        let streamed = prompts(Kind::Stream, BODY_SIZES[0]);
        let streams = stream_load(&self.target, &streamed, self.lengths.streams_per_slot).await?;
        let chunk_cpu = self.micros_each(&before, streams.transit.len());
        tally.add(streams.tally);
        let measured = Measured {
            latency,
            per_second: [small_rate, large_rate],
            first_chunk: percentiles(&streams.first_chunk),
            transit: percentiles(&streams.transit),
            cost: None,
            tally,
        };
        Ok((measured, [small_cpu, large_cpu, chunk_cpu]))
    }

    async fn open(&self, prompts: &Arc<Prompts>, tally: &mut Tally) -> Result<Percentiles, Fault> {
        let open = open_loop(&self.target, prompts, OPEN_RATE, self.lengths.scenario).await?;
        tally.add(open.tally);
        Ok(percentiles(&open.latency))
    }

    /// Good replies a second, and CPU microseconds for each.
    async fn closed(&self, prompts: &Arc<Prompts>, tally: &mut Tally) -> Result<(f64, f64), Fault> {
        let before = self.cpu();
        let closed =
            closed_loop(&self.target, prompts, Until::length(self.lengths.scenario)).await?;
        let result = (
            closed.per_second(),
            self.micros_each(&before, closed.tally.good),
        );
        tally.add(closed.tally);
        Ok(result)
    }

    fn cpu(&self) -> Cpu {
        self.relay
            .map(Running::usage)
            .map(|Usage { cpu, .. }| cpu)
            .unwrap_or_default()
    }

    /// Not a number when the count is zero.
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    fn micros_each(&self, before: &Cpu, count: u64) -> f64 {
        let micros = self.cpu().since(before).as_secs_f64() * 1e6;
        if count == 0 {
            f64::NAN
        } else {
            micros / count as f64
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of at most minutes")]
fn percentiles(nanos: &Histogram<u64>) -> Percentiles {
    if nanos.is_empty() {
        // Nothing came back: no figure, and no target met.
        return Percentiles {
            p50: f64::NAN,
            p99: f64::NAN,
        };
    }
    let micros = |quantile| nanos.value_at_quantile(quantile) as f64 / 1e3;
    Percentiles {
        p50: micros(0.5),
        p99: micros(0.99),
    }
}
