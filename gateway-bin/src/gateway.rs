//! Starting a gateway: sockets, the control thread, the serving threads.

use std::{
    fmt, io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

use gateway_govern::records::StoreError;
use gateway_router::{BuildError, Router};
use tokio::{
    runtime::{Builder, Runtime},
    sync::Notify,
    time,
};

use crate::{
    config::{Config, DrainConfig},
    discovery::{Asking, Awaited, Known},
    gate::Gate,
    learned::{Keeper, WRITE_EVERY},
    log::LostLines,
    metrics::Metrics,
    reload::{self, Source},
    running::Running,
    serve::{self, Desk, ListenError, RequestIds, Site},
    signals::Signals,
    stage::{Stage, Stages},
    steward::{self, Orders, PATIENCE, Steward},
    store,
};

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The endpoints make no fleet.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The store of responses and conversations cannot be opened.
    #[error("responses.store: {0}")]
    Store(#[from] StoreError),
    /// The system gives no threads, sockets or randomness.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
}

/// What a gateway does beside serving.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where to reload from.
    pub reload: Option<ReloadFrom>,
    /// Whether SIGTERM and SIGINT drain and SIGHUP reloads.
    pub signals: bool,
    /// Log lines that were dropped, to be shown on the metrics page.
    pub lost_lines: LostLines,
}

/// A file to reload from.
#[derive(Clone)]
pub struct ReloadFrom {
    /// The file.
    pub path: PathBuf,
    /// Its text that is in force already.
    pub text: String,
    /// The address that counts in place of the file's.
    pub listen: Option<SocketAddr>,
}

impl fmt::Debug for ReloadFrom {
    /// Without the text, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadFrom")
            .field("path", &self.path)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}

/// Starts gateways.
#[derive(Debug)]
pub struct Gateway;

impl Gateway {
    /// Listens, asks engines what they are where that is open, and serves on threads of its own. Returns when requests
    /// can come.
    ///
    /// # Errors
    /// Where an address is taken, the endpoints make no fleet or the system refuses.
    pub fn start(config: Config, options: Options) -> Result<Running, StartError> {
        let stages = Stages::new();
        let sites = Sites::bind(&config)?;
        let (clients, metrics) = (sites.address()?, sites.metrics_address());
        let (tell, told) = mpsc::sync_channel(1);
        let runtime = runtime()?;
        let own = stages.clone();
        let control = spawn("control", move || {
            runtime.block_on(control(config, options, sites, own, &tell))
        })?;
        // The thread tells once or dies; dying without a word is its panic.
        let gate = told
            .recv()
            .map_err(|_| io::Error::other("the control thread died"))??;
        Ok(Running {
            clients,
            metrics,
            stages,
            gate,
            control: Some(control),
        })
    }
}

/// The sockets, bound before anything else so that a taken port is the first thing to be said.
struct Sites {
    clients: Vec<TcpListener>,
    metrics: Option<TcpListener>,
}

impl Sites {
    fn bind(config: &Config) -> Result<Self, StartError> {
        let clients = serve::bind_all(config.listen, config.threads.max(1))?;
        let metrics = config
            .metrics_listen
            .map(|address| serve::bind_all(address, 1))
            .transpose()?;
        Ok(Self {
            clients,
            metrics: metrics.and_then(|sockets| sockets.into_iter().next()),
        })
    }

    fn address(&self) -> io::Result<SocketAddr> {
        self.clients[0].local_addr()
    }

    fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics
            .as_ref()
            .and_then(|socket| socket.local_addr().ok())
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(run)
}

type Told = Result<Arc<Gate>, StartError>;

/// The control thread: watches engines, reloads, drains, and ends when the serving threads have.
async fn control(
    config: Config,
    options: Options,
    sites: Sites,
    stages: Stages,
    tell: &mpsc::SyncSender<Told>,
) {
    let drain = config.drain;
    let keeper = config.state_file.clone().map(Keeper::new);
    let begin = async {
        let (gate, steward, orders) = open(config, stages, options.lost_lines).await?;
        if let Some(keeper) = &keeper {
            keeper.restore(&gate.router.fleet());
        }
        let signals = options.signals.then(Signals::catch).transpose()?;
        let workers = serve_on_threads(sites, &gate)?;
        Ok((gate, steward, orders, signals, workers))
    };
    let (gate, steward, orders, signals, workers) = match begin.await {
        Ok(begun) => begun,
        Err(error) => return tell.send(Err(error)).unwrap_or_default(),
    };
    let asked = Arc::new(Notify::new());
    if let Some(signals) = signals {
        tokio::spawn(signals.follow(gate.stages.clone(), Arc::clone(&asked)));
    }
    if let Some(from) = options.reload {
        let source = Source::new(from);
        tokio::spawn(reload::watch(source, asked, Arc::clone(&gate), orders));
    }
    tokio::spawn(steward.run());
    let sweeping = Arc::clone(&gate);
    tokio::spawn(async move { sweeping.responses.sweep().await });
    if let Some(keeper) = &keeper {
        tokio::spawn(keeper.clone().run(gate.router.clone(), WRITE_EVERY));
    }
    // Whoever waited for this may have gone; the stages will say so.
    tell.send(Ok(Arc::clone(&gate))).unwrap_or_default();
    tokio::spawn(step_down(gate.stages.clone(), drain));
    let joined = tokio::task::spawn_blocking(move || {
        workers.into_iter().for_each(|worker| drop(worker.join()))
    });
    drop(joined.await);
    if let Some(keeper) = keeper {
        keeper.finish(&gate.router.fleet());
    }
}

async fn open(
    config: Config,
    stages: Stages,
    lost_lines: LostLines,
) -> Result<(Arc<Gate>, Steward, Orders), StartError> {
    let mut known = Known::default();
    let mut asking = Asking::new(PATIENCE);
    asking.begin(known.questions(&config.endpoints, None));
    let awaited = Awaited::of(&config.endpoints);
    asking.hear(&awaited, &mut known).await;
    for name in known.open_names(&config.endpoints) {
        tracing::warn!(
            endpoint = name,
            "engine does not answer yet; it will be asked again"
        );
    }
    let ids = RequestIds::new().map_err(io::Error::from)?;
    let metrics = Arc::new(Metrics::new(lost_lines));
    let sink = Arc::clone(&metrics);
    let router = Router::builder()
        .settings(known.settings(&config, &config.endpoints))
        .reports(sink)
        .seed(ids.seed())
        .build()?;
    metrics.follow(&router.fleet());
    let store = store::open(&config.responses).await?;
    let desk = Desk::new(store, &config.responses);
    let (orders, inbox) = steward::orders();
    let way = orders.clone();
    let gate = Gate::new(router, metrics, desk, &config, stages, ids, way);
    let gate = Arc::new(gate);
    let steward = Steward::begin(Arc::clone(&gate), config, (known, asking), inbox).await?;
    Ok((gate, steward, orders))
}

fn serve_on_threads(sites: Sites, gate: &Arc<Gate>) -> io::Result<Vec<JoinHandle<()>>> {
    let clients = sites
        .clients
        .into_iter()
        .map(|socket| (socket, Site::Clients));
    let metrics = sites.metrics.map(|socket| (socket, Site::Metrics));
    let start = |(at, (socket, site)): (usize, (TcpListener, Site))| {
        let (gate, runtime) = (Arc::clone(gate), runtime()?);
        let socket = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(socket)?
        };
        spawn(&format!("serve-{at}"), move || {
            runtime.block_on(serve::run(socket, gate, site))
        })
    };
    clients.chain(metrics).enumerate().map(start).collect()
}

/// From draining to the end, at the configured pace.
async fn step_down(stages: Stages, drain: DrainConfig) {
    stages.reached(Stage::Draining).await;
    tracing::info!(
        delay_s = drain.delay.as_secs_f64(),
        "draining: readiness fails from now on"
    );
    time::sleep(drain.delay).await;
    stages.advance(Stage::Closing);
    time::sleep(drain.deadline).await;
    stages.advance(Stage::Cut);
}
