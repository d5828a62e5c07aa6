//! The tables, and the sink that fills them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use arc_swap::ArcSwap;
use gateway_core::Fleet;
use gateway_router::{
    CleanupReport, ReportSink, RouteReport, edge::EdgeReport, proto::openai::Api,
};

use super::{
    access,
    door::Door,
    model::{EndpointCounts, ModelCounts},
    pairs::CleanupCounts,
    responses::Responses,
};
use crate::log::LostLines;

/// The label of whatever nobody named.
pub(super) const OTHER: &str = "other";

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) door: Door,
    pub(crate) responses: Responses,
    pub(super) cleanups: CleanupCounts,
    pub(super) lost_lines: LostLines,
    pub(super) tables: ArcSwap<Tables>,
}

#[derive(Debug)]
pub(super) struct Tables {
    pub(super) models: HashMap<Box<str>, Arc<ModelCounts>>,
    pub(super) endpoints: HashMap<Box<str>, Arc<EndpointCounts>>,
}

impl Tables {
    pub(super) fn model(&self, name: &str) -> &ModelCounts {
        self.models.get(name).unwrap_or_else(|| &self.models[OTHER])
    }
}

impl Metrics {
    pub(crate) fn new(lost_lines: LostLines) -> Self {
        let models = HashMap::from([(OTHER.into(), Arc::new(ModelCounts::new()))]);
        let tables = Tables {
            models,
            endpoints: HashMap::new(),
        };
        Self {
            door: Door::default(),
            responses: Responses::default(),
            cleanups: CleanupCounts::default(),
            lost_lines,
            tables: ArcSwap::from_pointee(tables),
        }
    }

    /// Gives every model and endpoint of `fleet` counters of its own. Those that are gone go on under their name only
    /// while they exist, so that many reloads do not grow the page.
    pub(crate) fn follow(&self, fleet: &Fleet) {
        let before = self.tables.load();
        let specs = || fleet.endpoints().iter().map(|endpoint| endpoint.spec());
        let names: BTreeSet<String> = fleet
            .models()
            .into_iter()
            .chain([OTHER.to_owned()])
            .collect();
        let kept = |name: &str| before.models.get(name).cloned();
        let models = names
            .into_iter()
            .map(|name| {
                let counts = kept(&name).unwrap_or_else(|| Arc::new(ModelCounts::new()));
                (name.into(), counts)
            })
            .collect();
        let endpoints = specs()
            .map(|spec| {
                (
                    &*spec.name,
                    before
                        .endpoints
                        .get(&*spec.name)
                        .cloned()
                        .unwrap_or_default(),
                )
            })
            .map(|(name, counts)| (name.into(), counts))
            .collect();
        self.tables.store(Arc::new(Tables { models, endpoints }));
    }

    /// A request was answered, by whomever.
    pub(crate) fn answered(&self, api: Api, model: Option<&str>, status: u16) {
        self.tables
            .load()
            .model(model.unwrap_or(OTHER))
            .answered(api, status);
    }
}

impl ReportSink for Metrics {
    fn report(&self, report: &RouteReport) {
        let tables = self.tables.load();
        tables.model(&report.model).report(report);
        if let Some(endpoint) = report
            .endpoint
            .as_ref()
            .and_then(|name| tables.endpoints.get(&**name))
        {
            endpoint.report(report);
        }
        access::log(report);
    }

    fn cleanup(&self, report: &CleanupReport) {
        self.cleanups.report(report);
        access::log_cleanup(report);
    }

    fn edge(&self, report: &EdgeReport) {
        self.tables.load().model(&report.model).edge.report(report);
        access::log_edge(report);
    }
}
