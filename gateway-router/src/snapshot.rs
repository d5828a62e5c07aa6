//! What is in force: one immutable picture, swapped as a whole.

use std::{collections::HashMap, sync::Arc};

use gateway_core::{EndpointId, Fleet, FleetError, Pipelines};

use crate::{
    Deadlines, EndpointSettings, Goals, MigrationSettings, RetrySettings, RouterSettings,
    SizeLimits, TextBlocks, WatchSettings,
    engine::{EngineClient, HttpEngine},
    feed::{FedBy, FeedSettings},
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
    pub(crate) migration: MigrationSettings,
    pub(crate) watch: WatchSettings,
    pub(crate) text: TextBlocks,
    pub(crate) feeds: FeedSettings,
    pub(crate) goals: Goals,
    pub(crate) limits: SizeLimits,
    engines: HashMap<EndpointId, Wired>,
}

/// An engine's client with what it was made from, so that a reload keeps the connections of what did not change.
struct Wired {
    made_from: Fingerprint,
    client: Arc<dyn EngineClient>,
    fed_by: FedBy,
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
            let kept = kept.filter(|wired| wired.made_from == made_from);
            let client = kept.map(|wired| Arc::clone(&wired.client));
            let wired = Wired {
                client: client.unwrap_or_else(|| wire(told, &made_from, factory)),
                made_from,
                fed_by: FedBy {
                    events: told.kv_events.clone(),
                    host: told.target.address().0.to_owned(),
                    settings: settings.feeds,
                },
            };
            engines.insert(endpoint.id(), wired);
        }
        Ok(Self {
            fleet,
            pipelines: settings.pipelines,
            deadlines: settings.deadlines,
            retry: settings.retry,
            migration: settings.migration,
            watch: settings.watch,
            text: settings.text,
            feeds: settings.feeds,
            goals: settings.goals,
            limits: settings.limits,
            engines,
        })
    }

    pub(crate) fn engine(&self, id: EndpointId) -> &Arc<dyn EngineClient> {
        &self.wired(id).client
    }

    /// What the endpoint's KV feeds depend on.
    pub(crate) fn fed_by(&self, id: EndpointId) -> &FedBy {
        &self.wired(id).fed_by
    }

    fn wired(&self, id: EndpointId) -> &Wired {
        self.engines
            .get(&id)
            .expect("every endpoint of the fleet is wired")
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

fn wire(
    told: &EndpointSettings,
    made_from: &Fingerprint,
    factory: &EngineFactory,
) -> Arc<dyn EngineClient> {
    let over_http = || -> Arc<dyn EngineClient> {
        Arc::new(HttpEngine::new(
            told.target.clone(),
            told.kind,
            told.credential.clone(),
            made_from.idle_connections,
            made_from.side_timeout,
        ))
    };
    factory(told).unwrap_or_else(over_http)
}
