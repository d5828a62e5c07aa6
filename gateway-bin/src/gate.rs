//! What all threads share.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use gateway_govern::keys::KeyRing;
use gateway_router::Router;

use crate::{
    clock,
    config::{Config, ServeLimits, ServedModel},
    discovery::Status,
    metrics::Metrics,
    serve::{Desk, RequestIds},
    stage::Stages,
    steward::Orders,
};

/// What a reload may change at the door.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) limits: ServeLimits,
    /// Who may change the list of endpoints; nobody where it is empty.
    pub(crate) admin: Arc<KeyRing>,
    /// How long one call of an engine may take, retries included.
    pub(crate) call_time: Duration,
    /// How models are served that have settings of their own.
    pub(crate) models: BTreeMap<String, ServedModel>,
}

impl Rules {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            keys: Arc::clone(&config.keys),
            admin: Arc::clone(&config.admin),
            limits: config.limits,
            call_time: config.router.deadlines.total,
            models: config.models.clone(),
        }
    }

    /// How a model is served.
    pub(crate) fn served(&self, model: &str) -> ServedModel {
        self.models.get(model).cloned().unwrap_or_default()
    }
}

/// What all threads share.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) router: Router,
    pub(crate) metrics: Arc<Metrics>,
    /// What is kept of the Responses API.
    pub(crate) responses: Desk,
    pub(crate) rules: ArcSwap<Rules>,
    /// The list of endpoints and who lists them.
    pub(crate) endpoints: ArcSwap<Status>,
    pub(crate) orders: Orders,
    pub(crate) stages: Stages,
    pub(crate) ids: RequestIds,
    /// Whether `/metrics` is served beside the clients' routes.
    pub(crate) metrics_here: bool,
    pub(crate) started_unix: i64,
}

impl Gate {
    pub(crate) fn new(
        router: Router,
        metrics: Arc<Metrics>,
        responses: Desk,
        config: &Config,
        stages: Stages,
        ids: RequestIds,
        orders: Orders,
    ) -> Self {
        Self {
            router,
            metrics,
            responses,
            rules: ArcSwap::from_pointee(Rules::of(config)),
            endpoints: ArcSwap::default(),
            orders,
            stages,
            ids,
            metrics_here: config.metrics_listen.is_none(),
            started_unix: clock::unix_seconds(),
        }
    }
}
