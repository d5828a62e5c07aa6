//! What is in force: one immutable picture, swapped as a whole.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use gateway_core::{EndpointId, EndpointSpec, Fleet, FleetError, Pipelines, Role};

use gateway_proto::engines::transfer::{Connector, mindie, sglang};
use tokio::runtime::Handle;

use crate::{
    AdmissionSettings, Deadlines, EndpointSettings, Goals, Hedges, MigrationSettings,
    RetrySettings, RouteError, RouterSettings, SizeLimits, Target, TextBlocks, WatchSettings,
    adapters::{AdapterSettings, Loader},
    engine::{EngineClient, HttpEngine},
    feed::{FedBy, FeedSettings},
    pairs::{PairPools, Pairs, TransferSettings},
    results::Results,
    wire::Pool,
};

/// Makes clients for endpoints that are not to be spoken to over plain HTTP.
pub(crate) type EngineFactory =
    dyn Fn(&EndpointSettings) -> Option<Arc<dyn EngineClient>> + Send + Sync;

/// The picture that each request takes once and keeps to its end.
pub(crate) struct Snapshot {
    pub(crate) fleet: Fleet,
    pub(crate) pipelines: Pipelines,
    pub(crate) pairs: Pairs,
    /// The pools of models, adapters left out, that are not served by engines that do everything alone.
    pools: HashMap<String, PairPools>,
    pub(crate) deadlines: Deadlines,
    pub(crate) retry: RetrySettings,
    pub(crate) hedges: Hedges,
    pub(crate) migration: MigrationSettings,
    pub(crate) watch: WatchSettings,
    pub(crate) text: TextBlocks,
    pub(crate) feeds: FeedSettings,
    adapters: AdapterSettings,
    pub(crate) goals: Goals,
    pub(crate) admission: Option<AdmissionSettings>,
    pub(crate) limits: SizeLimits,
    engines: HashMap<EndpointId, Wired>,
}

/// An engine's client with what it was made from, so that a reload keeps the connections of what did not change.
struct Wired {
    made_from: Fingerprint,
    client: Arc<dyn EngineClient>,
    fed_by: FedBy,
    transfer: Option<TransferSettings>,
    host: String,
    /// The data-parallel rank that the endpoint is, and how many there are at its address.
    rank: Option<(u32, u32)>,
    loader: Arc<Loader>,
    /// What it answers to all requests together, where it does.
    results: Option<Arc<Results>>,
}

#[derive(Clone, PartialEq)]
struct Fingerprint {
    target: Target,
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
        runtime: &Handle,
    ) -> Result<Self, FleetError> {
        let specs = settings.endpoints.iter().map(|told| {
            let mut spec = described(told);
            settings.adapters.describe(&mut spec, told.kind);
            spec
        });
        let fleet = match before {
            Some(before) => {
                let moved = before.moved(&settings.endpoints);
                before
                    .fleet
                    .with_endpoints_but(specs, |name| moved.contains(name))?
            }
            None => Fleet::with_config(specs, settings.fleet)?,
        };
        let mut pools = HashMap::new();
        let ranks = Ranks::of_endpoints(&settings.endpoints);
        let mut engines = HashMap::with_capacity(settings.endpoints.len());
        for (endpoint, told) in fleet.endpoints().iter().zip(&settings.endpoints) {
            let made_from = fingerprint(told, &settings);
            let was = before.and_then(|before| before.engines.get(&endpoint.id()));
            let kept = was.filter(|wired| wired.made_from == made_from);
            let (client, loader) = match kept {
                Some(wired) => (Arc::clone(&wired.client), Arc::clone(&wired.loader)),
                None => (wire(told, &made_from, factory, &mut pools), Arc::default()),
            };
            let results = results_of(told, &client, was, runtime);
            let wired = Wired {
                client,
                results,
                loader,
                made_from,
                fed_by: FedBy {
                    events: told.kv_events.clone(),
                    host: told.target.address().0.to_owned(),
                    rank: told.target.rank(),
                    settings: settings.feeds,
                },
                transfer: told.transfer.clone(),
                host: told.target.address().0.to_owned(),
                rank: ranks.of(&told.target),
            };
            engines.insert(endpoint.id(), wired);
        }
        let hands_over = |id| matches!(engines.get(&id), Some(wired) if wired.transfer.is_some());
        let pools = PairPools::of_fleet(&fleet, hands_over);
        Ok(Self {
            fleet,
            pools,
            pairs: settings.pairs,
            pipelines: settings.pipelines,
            deadlines: settings.deadlines,
            retry: settings.retry,
            hedges: settings.hedges,
            migration: settings.migration,
            watch: settings.watch,
            text: settings.text,
            feeds: settings.feeds,
            adapters: settings.adapters,
            goals: settings.goals,
            admission: settings.admission,
            limits: settings.limits,
            engines,
        })
    }

    pub(crate) fn engine(&self, id: EndpointId) -> &Arc<dyn EngineClient> {
        &self.wired(id).client
    }

    /// How the endpoint hands KV caches over.
    pub(crate) fn transfer(&self, id: EndpointId) -> Option<&TransferSettings> {
        self.wired(id).transfer.as_ref()
    }

    /// Where decode engines find the endpoint.
    pub(crate) fn bootstrap(&self, id: EndpointId) -> (String, u16) {
        let Wired { transfer, host, .. } = self.wired(id);
        let told = transfer.as_ref().map(|transfer| transfer.bootstrap.clone());
        let (own_host, port) = told.unwrap_or_default();
        let host = own_host.unwrap_or_else(|| host.clone());
        (host, port.unwrap_or(sglang::BOOTSTRAP_PORT))
    }

    /// Where prefill engines of `MindIE` find the endpoint; `None` where its host is no address, as they need it.
    pub(crate) fn handed_to(&self, id: EndpointId) -> Option<mindie::Target> {
        let Wired { transfer, host, .. } = self.wired(id);
        let (told, port) = &transfer.as_ref()?.bootstrap;
        let host = told.as_ref().unwrap_or(host).parse().ok()?;
        Some(mindie::Target { host, port: *port })
    }

    /// What the endpoint answers to all requests together.
    pub(crate) fn results(&self, id: EndpointId) -> Option<&Arc<Results>> {
        self.wired(id).results.as_ref()
    }

    /// The data-parallel rank that the endpoint is, and how many there are at its address.
    pub(crate) fn rank(&self, id: EndpointId) -> Option<(u32, u32)> {
        self.wired(id).rank
    }

    /// Who may do what of a request for `model`, where not all its engines do everything.
    pub(crate) fn pools(&self, model: &str) -> Option<&PairPools> {
        if self.pools.is_empty() {
            return None;
        }
        let of_adapter = || {
            let serving = self.fleet.endpoints().iter();
            let serving = serving.filter(|endpoint| endpoint.serves(model));
            let mut adapted = serving.flat_map(|endpoint| &endpoint.spec().models);
            adapted.find_map(|model| self.pools.get(model))
        };
        // Adapters come and go; each goes where its model goes.
        self.pools.get(model).or_else(of_adapter)
    }

    /// What the endpoint's KV feeds depend on.
    pub(crate) fn fed_by(&self, id: EndpointId) -> &FedBy {
        &self.wired(id).fed_by
    }

    /// The names of endpoints that are other engines in `next` than here.
    fn moved<'a>(&self, next: &'a [EndpointSettings]) -> HashSet<&'a str> {
        let is_other = |told: &&EndpointSettings| {
            let before = self.fleet.by_name(&told.spec.name);
            before.is_some_and(|old| {
                let target = &self.wired(old.id()).made_from.target;
                !target.is_same_engine(&told.target)
            })
        };
        let moved = next.iter().filter(is_other);
        moved.map(|told| told.spec.name.as_str()).collect()
    }

    /// Waits until the endpoint has the LoRA adapter `name`, which it may have to load.
    ///
    /// # Errors
    /// Where it cannot.
    pub(crate) async fn adapter_ready(&self, id: EndpointId, name: &str) -> Result<(), RouteError> {
        let endpoint = self.fleet.by_id(id);
        let Some(endpoint) = endpoint.filter(|endpoint| endpoint.can_load(name)) else {
            return Ok(());
        };
        let Wired { loader, client, .. } = self.wired(id);
        loader
            .ready(endpoint, &**client, name, &self.adapters)
            .await
    }

    fn wired(&self, id: EndpointId) -> &Wired {
        self.engines
            .get(&id)
            .expect("every endpoint of the fleet is wired")
    }
}

/// Listens to a decode engine that answers to all requests together; goes on where it is the same engine as before, since
/// whoever listens anew ends what others are being told.
fn results_of(
    told: &EndpointSettings,
    client: &Arc<dyn EngineClient>,
    was: Option<&Wired>,
    runtime: &Handle,
) -> Option<Arc<Results>> {
    let transfer = told.transfer.as_ref()?;
    if transfer.connector != Connector::MindIe || told.spec.role == Role::Prefill {
        return None;
    }
    let same = was.filter(|was| was.made_from.target.is_same_engine(&told.target));
    let Some(kept) = same.and_then(|was| was.results.clone()) else {
        return Some(Results::begin(&told.spec.name, Arc::clone(client), runtime));
    };
    kept.open_by(client);
    Some(kept)
}

/// How many data-parallel ranks there are at each address.
struct Ranks<'a>(HashMap<(&'a str, u16), u32>);

impl<'a> Ranks<'a> {
    fn of_endpoints(endpoints: &'a [EndpointSettings]) -> Self {
        let mut counts = HashMap::new();
        for told in endpoints {
            if let Some(rank) = told.target.rank() {
                let count: &mut u32 = counts.entry(told.target.address()).or_default();
                *count = (*count).max(rank.saturating_add(1));
            }
        }
        Self(counts)
    }

    fn of(&self, target: &Target) -> Option<(u32, u32)> {
        let count = self.0.get(&target.address())?;
        Some((target.rank()?, *count))
    }
}

/// What the decision knows of an endpoint: what is configured, and that connectors must agree.
fn described(told: &EndpointSettings) -> EndpointSpec {
    let mut spec = told.spec.clone();
    if let Some(transfer) = &told.transfer {
        spec.kv.connector = Some(transfer.connector.name().to_owned());
    }
    spec
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
    pools: &mut HashMap<(String, u16), Vec<Arc<Pool>>>,
) -> Arc<dyn EngineClient> {
    let over_http = || -> Arc<dyn EngineClient> {
        let engine = HttpEngine::new(
            told.target.clone(),
            told.kind,
            told.credential.clone(),
            made_from.idle_connections,
            made_from.side_timeout,
        );
        Arc::new(engine.sharing(pools))
    };
    factory(told).unwrap_or_else(over_http)
}
