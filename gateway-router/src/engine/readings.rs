//! Where engines tell of their load, and how that is read.

use gateway_core::load::{AdapterUse, Telemetry};
use gateway_proto::{
    loads::{LoadReport, completed},
    prometheus::{Dialect, Scrape},
};

use super::{HttpEngine, Profile, rungs::Rung, side::NoAnswer};
use crate::RouteError;

/// One route and its form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) route: &'static str,
    pub(crate) form: Form,
}

/// The forms.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// JSON.
    Report(LoadReport),
    /// Prometheus text.
    Page(Dialect),
    /// The one or the other, by version.
    Either(LoadReport, Dialect),
}

impl Reading {
    pub(crate) const fn report(route: &'static str, report: LoadReport) -> Self {
        let form = Form::Report(report);
        Self { route, form }
    }

    pub(crate) const fn page(route: &'static str, dialect: Dialect) -> Self {
        let form = Form::Page(dialect);
        Self { route, form }
    }
}

/// What one route said, or all together.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) telemetry: Telemetry,
    pub(super) adapters: Option<AdapterUse>,
}

impl Form {
    /// `rank` is the data-parallel rank whose part is wanted; all together where unset.
    fn read(self, body: &[u8], rank: Option<u32>) -> Said {
        match self {
            Self::Either(report, _) if body.trim_ascii_start().starts_with(b"[") => {
                Said::report(report, body, rank)
            }
            Self::Report(report) => Said::report(report, body, rank),
            Self::Page(dialect) | Self::Either(_, dialect) => {
                let scrape = Scrape::parse_rank(body, Some(dialect), rank);
                Said {
                    telemetry: scrape.telemetry,
                    adapters: scrape.adapters,
                }
            }
        }
    }
}

impl Said {
    fn report(report: LoadReport, body: &[u8], rank: Option<u32>) -> Self {
        Self {
            telemetry: report.read_rank(body, rank),
            adapters: None,
        }
    }
}

/// What the engine says of its load, completed by what its metrics say.
///
/// An engine that has neither stays unknown, and is asked again now and then. Of two answers one is enough.
pub(super) async fn read(engine: &HttpEngine) -> Result<Said, RouteError> {
    let Profile { load, metrics, .. } = engine.profile;
    let first = first_of(engine, load, &engine.rungs.load).await;
    let second = first_of(engine, metrics, &engine.rungs.metrics).await;
    match (first, second) {
        (Ok(Some(first)), second) => {
            let second = second.ok().flatten().unwrap_or_default();
            Ok(Said {
                telemetry: completed(first.telemetry, second.telemetry),
                adapters: first.adapters.or(second.adapters),
            })
        }
        (Ok(None), second) => second.map(Option::unwrap_or_default),
        (Err(error), second) => second.ok().flatten().ok_or(error),
    }
}

/// The first of the routes that the engine has; `None` where it has none of them.
async fn first_of(
    engine: &HttpEngine,
    readings: &[Reading],
    rung: &Rung,
) -> Result<Option<Said>, RouteError> {
    let begin = rung.begin();
    if let Some(said) = first_from(engine, readings, rung, begin).await? {
        return Ok(Some(said));
    }
    if begin == 0 || begin >= readings.len() {
        return Ok(None);
    }
    // The one that was known is gone: the engine may be another by now.
    first_from(engine, readings, rung, 0).await
}

/// The same from `begin` on.
async fn first_from(
    engine: &HttpEngine,
    readings: &[Reading],
    rung: &Rung,
    begin: usize,
) -> Result<Option<Said>, RouteError> {
    for (at, reading) in readings.iter().enumerate().skip(begin) {
        match engine.fetch(reading.route).await {
            Ok(body) => {
                rung.settle(at);
                return Ok(Some(reading.form.read(&body, engine.rank)));
            }
            Err(NoAnswer::NoRoute(_)) => {}
            Err(NoAnswer::Failed(error)) => return Err(error),
        }
    }
    rung.settle(readings.len());
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_of_two_forms_is_read_by_what_comes() {
        let form = Form::Either(LoadReport::TrtllmIterations, Dialect::TensorRtLlm);
        let json = form.read(br#" [{"numActiveRequests":3}]"#, None);
        let page = form.read(b"trtllm_num_requests_running 4\n", None);
        let running = [json, page].map(|said| said.telemetry.running);
        assert_eq!(running, [Some(3), Some(4)]);
    }
}
