//! A sink that keeps every report.

use std::sync::{Mutex, PoisonError};

use gateway_router::{ReportSink, RouteReport};

#[derive(Default)]
pub(crate) struct Reports(Mutex<Vec<RouteReport>>);

impl Reports {
    pub(crate) fn all(&self) -> Vec<RouteReport> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
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
}
