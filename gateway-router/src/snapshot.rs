//! What is in force: one immutable picture, swapped as a whole.

use std::{collections::HashMap, sync::Arc};

use gateway_core::{EndpointId, Fleet, FleetError, Pipelines};

use crate::{
    Deadlines, EndpointSettings, RetrySettings, RouterSettings, SizeLimits, TextBlocks,
    WatchSettings,
    engine::{EngineClient, HttpEngine},
};

/// Makes clients for endpoints that are not to be spoken to over plain HTTP.
pub(crate) type EngineFactory =
    dyn Fn(&EndpointSettings) -> Option<Arc<dyn EngineClient>> + Send + Sync;

/// The picture that each request takes once and keeps to its end.
pub(crate) struct Snapshot {
    pub(crate) fleet: Fleet,
    pub(crate) pipelines: Pipelines,
    pub(crate) deadlines: Deadlines,
    pub(crate) retry: RetrySettings,
    pub(crate) watch: WatchSettings,
    pub(crate) text: TextBlocks,
    pub(crate) limits: SizeLimits,
    engines: HashMap<EndpointId, Wired>,
}

/// An engine's client with what it was made from, so that a reload keeps the connections of what did not change.
#[derive(Clone)]
struct Wired {
    made_from: Fingerprint,
    client: Arc<dyn EngineClient>,
}

#[derive(Clone, PartialEq)]
struct Fingerprint {
    target: crate::Target,
    kind: crate::EngineKind,
    credential: Option<http::HeaderValue>,
    idle_connections: usize,
    side_timeout: std::time::Duration,
}

impl Snapshot {
    pub(crate) fn new(
        settings: RouterSettings,
        before: Option<&Self>,
        factory: &EngineFactory,
    ) -> Result<Self, FleetError> {
        let specs = settings
            .endpoints
            .iter()
            .map(|endpoint| endpoint.spec.clone());
        let fleet = match before {
            Some(before) => before.fleet.with_endpoints(specs)?,
            None => Fleet::with_config(specs, settings.fleet)?,
        };
        let mut engines = HashMap::with_capacity(settings.endpoints.len());
        for (endpoint, told) in fleet.endpoints().iter().zip(&settings.endpoints) {
            let made_from = fingerprint(told, &settings);
            let kept = before.and_then(|before| before.engines.get(&endpoint.id()));
            let wired = kept.filter(|wired| wired.made_from == made_from).cloned();
            engines.insert(
                endpoint.id(),
                wired.unwrap_or_else(|| wire(told, made_from, factory)),
            );
        }
        Ok(Self {
            fleet,
            pipelines: settings.pipelines,
            deadlines: settings.deadlines,
            retry: settings.retry,
            watch: settings.watch,
            text: settings.text,
            limits: settings.limits,
            engines,
        })
    }

    pub(crate) fn engine(&self, id: EndpointId) -> &Arc<dyn EngineClient> {
        &self
            .engines
            .get(&id)
            .expect("every endpoint of the fleet is wired")
            .client
    }
}

fn fingerprint(told: &EndpointSettings, settings: &RouterSettings) -> Fingerprint {
    Fingerprint {
        target: told.target.clone(),
        kind: told.kind,
        credential: told
            .credential
            .as_ref()
            .map(|credential| credential.header().clone()),
        idle_connections: settings.limits.idle_connections,
        side_timeout: settings
            .watch
            .probe_timeout
            .max(settings.watch.telemetry_timeout),
    }
}

fn wire(told: &EndpointSettings, made_from: Fingerprint, factory: &EngineFactory) -> Wired {
    let over_http = || -> Arc<dyn EngineClient> {
        Arc::new(HttpEngine::new(
            told.target.clone(),
            told.kind,
            told.credential.clone(),
            made_from.idle_connections,
            made_from.side_timeout,
        ))
    };
    let client = factory(told).unwrap_or_else(over_http);
    Wired { made_from, client }
}
