//! The router as its users hold it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use arc_swap::ArcSwap;
use gateway_core::{Fleet, FleetError, Rng};
use gateway_proto::engines::transfer::sglang;
use tokio::runtime::Handle;

use crate::{
    Clock, EndpointSettings, NoReports, ReportSink, RouteError, RouteReply, RouteRequest,
    RouterSettings, TokenReply, TokenRequest,
    admission::{Admission, ClassStatus},
    budget::RetryBudget,
    dispatch::{self, Lingers},
    engine::EngineClient,
    feed::FeedStatus,
    hedges,
    results::ResultsStatus,
    snapshot::{EngineFactory, Snapshot},
    watch::Watchers,
};

/// Why a router cannot be built or changed.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The endpoints make no fleet.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// There is no tokio runtime to watch engines on.
    #[error("a router watches its engines in the background: build it inside a tokio runtime")]
    NoRuntime,
}

/// Decides, sends, retries, relays. Cheap to clone; clones share everything.
///
/// Engines are watched by background tasks on the runtime that the router was built in, until the last clone is dropped.
#[derive(Clone)]
pub struct Router(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) budget: RetryBudget,
    /// For second engines beside silent ones.
    pub(crate) hedges: RetryBudget,
    /// For answers taken up elsewhere in the middle.
    pub(crate) migrations: RetryBudget,
    pub(crate) sink: Arc<dyn ReportSink>,
    pub(crate) clock: Clock,
    pub(crate) admission: Arc<Admission>,
    pub(crate) lingers: Lingers,
    seeds: AtomicU64,
    rooms: AtomicU64,
    factory: Box<EngineFactory>,
    watchers: Mutex<Watchers>,
    runtime: Handle,
}

impl Shared {
    /// A generator of its own for one decision.
    pub(crate) fn rng(&self) -> Rng {
        Rng::from_seed(self.seeds.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed))
    }

    /// Whether `snapshot` is what is in force.
    pub(crate) fn is_current(&self, snapshot: &Snapshot) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.snapshot.load()), snapshot)
    }

    /// A number of 63 bits for two legs to meet by, that comes once in 2^63. Routers with different seeds begin far
    /// apart.
    pub(crate) fn room(&self) -> u64 {
        self.rooms.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed) & sglang::ROOMS
    }
}

impl Router {
    /// A router to be told its settings.
    #[must_use]
    pub fn builder() -> RouterBuilder {
        RouterBuilder {
            settings: RouterSettings::default(),
            sink: Arc::new(NoReports),
            seed: 0,
            factory: Box::new(|_| None),
        }
    }

    /// Routes one request: the future ends with the head of the reply, the reply's body goes on. Dropping either cancels
    /// the request everywhere.
    ///
    /// # Errors
    /// Where no endpoint served it; [`RouteError::to_api`] is what to tell the caller.
    pub async fn route(&self, request: RouteRequest) -> Result<RouteReply, RouteError> {
        dispatch::route(&self.0, request).await
    }

    /// Routes one call for tokens, with the same decision, retries, deadlines and report as [`route`](Self::route): the
    /// future ends with the first tokens, the stream goes on. Dropping either cancels the request everywhere.
    ///
    /// # Errors
    /// Where no endpoint served it; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) where those that were tried
    /// cannot do what the call asks.
    pub async fn generate(&self, request: TokenRequest) -> Result<TokenReply, RouteError> {
        dispatch::generate(&self.0, request).await
    }

    /// Replaces the settings in one step. Endpoints that keep their name keep their load, health and connections.
    /// Requests in flight end as they began. [`RouterSettings::fleet`] stays as it was.
    ///
    /// # Errors
    /// Where the endpoints make no fleet; nothing has changed then.
    pub fn apply(&self, settings: RouterSettings) -> Result<(), BuildError> {
        let mut watchers = self
            .0
            .watchers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let next = Arc::new(Snapshot::new(
            settings,
            Some(&self.0.snapshot.load()),
            &*self.0.factory,
            &self.0.runtime,
        )?);
        watchers.follow(&next, self.0.clock, &self.0.runtime);
        self.0.snapshot.store(Arc::clone(&next));
        // Behind the swap: whoever joins with the old one before it is put right here.
        if let Some(admission) = &next.admission {
            self.0.admission.set_policy(&admission.policy);
        }
        self.0.admission.news();
        Ok(())
    }

    /// The endpoints now, with their load and health.
    #[must_use]
    pub fn fleet(&self) -> Fleet {
        self.0.snapshot.load().fleet.clone()
    }

    /// What is known of the KV feeds, by the name of their endpoint, sorted. An endpoint whose feed is switched off is
    /// not listed.
    #[must_use]
    pub fn feeds(&self) -> Vec<(String, FeedStatus)> {
        let fleet = self.fleet();
        let watchers = self
            .0
            .watchers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let by_id: HashMap<_, _> = watchers.feeds().collect();
        drop(watchers);
        let named = fleet.endpoints().iter().filter_map(|endpoint| {
            let status = by_id.get(&endpoint.id())?;
            Some((endpoint.name().to_owned(), *status))
        });
        let mut feeds: Vec<_> = named.collect();
        feeds.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        feeds
    }

    /// What is known of the answers that decode engines of `MindIE` give to all requests together, by the name of their
    /// endpoint, sorted.
    #[must_use]
    pub fn results(&self) -> Vec<(String, ResultsStatus)> {
        let snapshot = self.0.snapshot.load();
        let endpoints = snapshot.fleet.endpoints().iter();
        let mut known: Vec<_> = endpoints
            .filter_map(|endpoint| {
                let results = snapshot.results(endpoint.id())?;
                Some((endpoint.name().to_owned(), results.status()))
            })
            .collect();
        known.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        known
    }

    /// Who waits for an endpoint with room, and how others came out of the line, by class.
    #[must_use]
    pub fn admission(&self) -> BTreeMap<String, ClassStatus> {
        self.0.admission.status()
    }

    /// The router's clock, in whose time fleet readings are to be asked.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.0.clock
    }

    #[cfg(feature = "text")]
    pub(crate) fn sink(&self) -> Arc<dyn ReportSink> {
        Arc::clone(&self.0.sink)
    }

    /// A request has come whose answer may have to be taken up elsewhere.
    #[cfg(feature = "text")]
    pub(crate) fn earn_migration(&self) {
        let settings = self.0.snapshot.load().migration.budget();
        self.0.migrations.earn(&settings);
    }

    /// Whether an answer of `model` that an engine broke may be taken up elsewhere; that is then paid for.
    #[cfg(feature = "text")]
    pub(crate) fn takes_up(&self, model: &str) -> bool {
        self.0.snapshot.load().migration.covers(model) && self.0.migrations.spend()
    }

    pub(crate) fn request_bytes(&self) -> usize {
        self.0.snapshot.load().limits.request_bytes
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router")
            .field("fleet", &self.0.snapshot.load().fleet.endpoints())
            .finish_non_exhaustive()
    }
}

/// Collects what a [`Router`] is told.
pub struct RouterBuilder {
    settings: RouterSettings,
    sink: Arc<dyn ReportSink>,
    seed: u64,
    factory: Box<EngineFactory>,
}

impl RouterBuilder {
    /// Sets everything that a reload may change later.
    #[must_use]
    pub fn settings(mut self, settings: RouterSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets who hears the reports.
    #[must_use]
    pub fn reports(mut self, sink: Arc<dyn ReportSink>) -> Self {
        self.sink = sink;
        self
    }

    /// Sets the seed of tie breaks and sampling. Gateways in front of the same engines should differ in it.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Drives endpoints through clients of your own. The factory is asked for every endpoint that is new or changed;
    /// where it gives `None` the engine is spoken to over HTTP.
    #[must_use]
    pub fn engines<F>(mut self, factory: F) -> Self
    where
        F: Fn(&EndpointSettings) -> Option<Arc<dyn EngineClient>> + Send + Sync + 'static,
    {
        self.factory = Box::new(factory);
        self
    }

    /// Builds the router and begins to watch its engines.
    ///
    /// # Errors
    /// Outside a tokio runtime, or where the endpoints make no fleet.
    pub fn build(self) -> Result<Router, BuildError> {
        let runtime = Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        let snapshot = Arc::new(Snapshot::new(
            self.settings,
            None,
            &*self.factory,
            &runtime,
        )?);
        let clock = Clock::start();
        let admission = Arc::new(Admission::default());
        let line = Arc::downgrade(&admission);
        let hears = snapshot.fleet.on_room(move || {
            if let Some(line) = line.upgrade() {
                line.news();
            }
        });
        debug_assert!(hears, "the fleet was made here");
        let mut watchers = Watchers::default();
        watchers.follow(&snapshot, clock, &runtime);
        Ok(Router(Arc::new(Shared {
            budget: RetryBudget::new(&snapshot.retry),
            hedges: RetryBudget::full(hedges::BURST),
            migrations: RetryBudget::new(&snapshot.migration.budget()),
            snapshot: ArcSwap::new(snapshot),
            sink: self.sink,
            clock,
            admission,
            lingers: Lingers::on(runtime.clone()),
            seeds: AtomicU64::new(self.seed),
            rooms: AtomicU64::new(Rng::from_seed(self.seed).next_u64()),
            watchers: Mutex::new(watchers),
            runtime,
            factory: self.factory,
        })))
    }
}

impl fmt::Debug for RouterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouterBuilder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
