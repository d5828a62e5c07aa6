//! A sink that keeps every report.

use std::sync::{Mutex, PoisonError};

#[cfg(feature = "text")]
use gateway_router::edge::EdgeReport;
use gateway_router::{Cleanup, CleanupReport, ReportSink, RouteReport};

#[derive(Default)]
pub(crate) struct Reports(
    Mutex<Vec<RouteReport>>,
    Mutex<Vec<CleanupReport>>,
    #[cfg(feature = "text")] Mutex<Vec<EdgeReport>>,
);

impl Reports {
    pub(crate) fn all(&self) -> Vec<RouteReport> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What became of legs of pairs that nobody wanted any more.
    pub(crate) fn cleanup_reports(&self) -> Vec<CleanupReport> {
        self.1
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The same by endpoint alone.
    pub(crate) fn cleanups(&self) -> Vec<(String, Cleanup)> {
        let told = self.cleanup_reports().into_iter();
        told.map(|told| (told.endpoint.to_string(), told.cleanup))
            .collect()
    }

    /// The edge's part in the only answer so far.
    #[cfg(feature = "text")]
    pub(crate) fn only_edge(&self) -> EdgeReport {
        let told = self.2.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(told.len(), 1, "one report per answer");
        told[0].clone()
    }

    /// The report of the only request so far.
    pub(crate) fn only(&self) -> RouteReport {
        let mut all = self.all();
        assert_eq!(all.len(), 1, "one report per request");
        all.remove(0)
    }

    pub(crate) fn last(&self) -> RouteReport {
        self.all().pop().expect("a request has ended")
    }
}

impl ReportSink for Reports {
    fn report(&self, report: &RouteReport) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(report.clone());
    }

    fn cleanup(&self, report: &CleanupReport) {
        self.1
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(report.clone());
    }

    #[cfg(feature = "text")]
    fn edge(&self, report: &EdgeReport) {
        self.2
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(report.clone());
    }
}
