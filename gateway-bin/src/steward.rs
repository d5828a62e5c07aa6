//! Keeps the router and the door in step with the configuration while the process runs.

use std::{sync::Arc, time::Duration};

use gateway_router::BuildError;
use tokio::{
    sync::{mpsc, oneshot},
    time,
};

use crate::{
    config::{Config, EndpointConfig},
    discovery::{Answer, Asking, Awaited, Change, ChangeError, Known, Roster, Sources, Status},
    gate::{Gate, Rules},
};

/// Time between two looks at those who leave.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Orders that wait; who has more waits to be heard.
const ORDERS: usize = 16;

/// Operators who wait until engines that they added have said what they are; more than that are answered at once.
const WAITING: usize = 64;

/// How long an engine may take to say what it is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Applies configurations and what engines say, one at a time, in a task of its own.
#[derive(Debug)]
pub(crate) struct Steward {
    gate: Arc<Gate>,
    config: Config,
    known: Known,
    asking: Asking,
    waiting: Vec<Waiting>,
    sources: Sources,
    roster: Roster,
    /// The changes of sources that are in force.
    changes: u64,
    /// The models that metrics know of.
    models: Vec<String>,
    orders: Inbox,
}

/// Where orders come in.
#[derive(Debug)]
pub(crate) struct Inbox(mpsc::Receiver<Order>);

/// Something to be done, and who waits to hear of it.
#[derive(Debug)]
enum Order {
    /// Put a configuration in force.
    Config(Box<Config>, oneshot::Sender<Result<(), BuildError>>),
    /// Change the list of endpoints.
    Change(Change, oneshot::Sender<Result<(), ChangeError>>),
}

/// Whom to tell that endpoints have been added, once they have been asked.
#[derive(Debug)]
struct Waiting {
    awaited: Awaited,
    done: oneshot::Sender<Result<(), ChangeError>>,
}

/// How the steward is reached.
#[derive(Clone, Debug)]
pub(crate) struct Orders(mpsc::Sender<Order>);

/// Why a configuration was not put in force.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrderError {
    /// Its endpoints make no fleet.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The process is ending.
    #[error("the gateway is stopping")]
    Stopping,
}

/// A way to the steward, and where it listens.
pub(crate) fn orders() -> (Orders, Inbox) {
    let (send, receive) = mpsc::channel(ORDERS);
    (Orders(send), Inbox(receive))
}

impl Orders {
    /// Puts `config` in force in one step: requests see all of it or nothing.
    ///
    /// # Errors
    /// Where its endpoints make no fleet; nothing has changed then.
    pub(crate) async fn take(&self, config: Config) -> Result<(), OrderError> {
        let (done, heard) = oneshot::channel();
        let sent = self.0.send(Order::Config(Box::new(config), done)).await;
        sent.map_err(|_| OrderError::Stopping)?;
        Ok(heard.await.map_err(|_| OrderError::Stopping)??)
    }

    /// Changes the list of endpoints; requests see the list before or after it.
    ///
    /// # Errors
    /// Where the change makes no sense; nothing has changed then.
    pub(crate) async fn change(&self, change: Change) -> Result<(), ChangeError> {
        let (done, heard) = oneshot::channel();
        let sent = self.0.send(Order::Change(change, done)).await;
        sent.map_err(|_| ChangeError::Stopping)?;
        heard.await.map_err(|_| ChangeError::Stopping)?
    }
}

impl Steward {
    /// Begins to look for endpoints, and waits a while for the first answers.
    pub(crate) async fn begin(
        gate: Arc<Gate>,
        config: Config,
        (known, asking): (Known, Asking),
        orders: Inbox,
    ) -> Result<Self, BuildError> {
        let mut steward = Self {
            gate,
            config,
            known,
            asking,
            waiting: Vec::new(),
            sources: Sources::default(),
            roster: Roster::default(),
            changes: 0,
            models: Vec::new(),
            orders,
        };
        steward.sources.follow(&steward.config.discovery.sources);
        // Who has nothing to say yet is heard later.
        drop(time::timeout(PATIENCE, steward.sources.first_answers()).await);
        steward.merge();
        if !steward.config.discovery.sources.is_empty() {
            let endpoints = steward.roster.endpoints();
            steward.ask_and_wait(&endpoints).await;
        }
        steward.apply()?;
        Ok(steward)
    }

    /// Takes orders, follows sources, and asks engines that have not said what they are, until the process ends.
    pub(crate) async fn run(mut self) {
        loop {
            let every = self.config.router.watch.probe_every;
            let pause = if self.roster.is_waiting() {
                LOOK_EVERY.min(every)
            } else {
                every
            };
            tokio::select! {
                Some(order) = self.orders.0.recv() => self.obey(order).await,
                () = self.sources.news() => self.found(),
                answers = self.asking.answers() => self.heard(answers),
                () = time::sleep(pause) => self.look_again(),
            }
        }
    }

    async fn obey(&mut self, order: Order) {
        // Whoever asked may have gone meanwhile.
        match order {
            Order::Config(config, done) => {
                let taken = self.take(*config).await;
                // Some whom others wait for may have answered meanwhile.
                self.tell_waiting();
                drop(done.send(taken));
            }
            Order::Change(change, done) => self.change(change, done),
        }
    }

    async fn take(&mut self, config: Config) -> Result<(), BuildError> {
        let fixed = fixed_changes(&self.config, &config);
        self.ask_and_wait(&config.endpoints).await;
        let before = std::mem::replace(&mut self.config, config);
        self.sources.follow(&self.config.discovery.sources);
        self.merge();
        if let Err(error) = self.apply() {
            self.config = before;
            self.sources.follow(&self.config.discovery.sources);
            self.merge();
            return Err(error);
        }
        self.gate.rules.store(Arc::new(Rules::of(&self.config)));
        if !fixed.is_empty() {
            tracing::warn!(keys = fixed.join(","), "these changes take a restart");
        }
        Ok(())
    }

    fn change(&mut self, change: Change, done: oneshot::Sender<Result<(), ChangeError>>) {
        let added = match &change {
            Change::Add(endpoints) => Awaited::of(endpoints),
            _ => Awaited::of(&[]),
        };
        let made = self.make(change);
        if made.is_ok() {
            self.ask();
            if self.asking.is_open(&added) && self.waiting.len() < WAITING {
                let awaited = added;
                self.waiting.push(Waiting { awaited, done });
                return;
            }
        }
        drop(done.send(made));
    }

    fn make(&mut self, change: Change) -> Result<(), ChangeError> {
        let before = self.roster.clone();
        self.roster.change(change)?;
        self.merge();
        if let Err(error) = self.apply() {
            // Kept, it would fail with every list to come.
            self.roster = before;
            self.merge();
            return Err(error.into());
        }
        Ok(())
    }

    /// Engines have answered.
    fn heard(&mut self, answers: Vec<Answer>) {
        if self.known.learn(answers) {
            self.apply_or_say();
        }
        self.tell_waiting();
    }

    fn tell_waiting(&mut self) {
        for waiting in std::mem::take(&mut self.waiting) {
            if self.asking.is_open(&waiting.awaited) {
                self.waiting.push(waiting);
            } else {
                drop(waiting.done.send(Ok(())));
            }
        }
    }

    /// Sources have news.
    fn found(&mut self) {
        if self.sources.changes() == self.changes {
            self.tell();
            return;
        }
        self.merge();
        self.apply_or_say();
        // New ones are listed at once and serve as soon as they have said what they are.
        self.ask();
    }

    fn look_again(&mut self) {
        let fleet = self.gate.router.fleet();
        if self.roster.is_waiting() && self.roster.sweep(&fleet, self.config.discovery.drain) {
            self.apply_or_say();
        }
        // Adapters come and go by themselves.
        if fleet.models() != self.models {
            self.tell();
        }
        self.ask();
    }

    /// Begins to ask engines that have not said what they are, or may be others by now.
    fn ask(&mut self) {
        self.ask_of(&self.roster.endpoints());
    }

    fn ask_of(&mut self, endpoints: &[EndpointConfig]) {
        let fleet = self.gate.router.fleet();
        let questions = self.known.questions(endpoints, Some(&fleet));
        self.asking.begin(questions);
    }

    /// Asks `endpoints`, and waits a while for the answers.
    async fn ask_and_wait(&mut self, endpoints: &[EndpointConfig]) {
        self.ask_of(endpoints);
        let awaited = Awaited::of(endpoints);
        self.asking.hear(&awaited, &mut self.known).await;
    }

    /// Takes in what everybody lists.
    fn merge(&mut self) {
        self.changes = self.sources.changes();
        let (fleet, found) = (self.gate.router.fleet(), self.sources.endpoints());
        self.roster.merge(&self.config.endpoints, found, &fleet);
    }

    fn apply_or_say(&mut self) {
        if let Err(error) = self.apply() {
            tracing::error!(%error, "the list of endpoints cannot be used");
        }
    }

    /// Puts the list in force in one step.
    fn apply(&mut self) -> Result<(), BuildError> {
        let endpoints = self.roster.endpoints();
        self.known.retain(&endpoints);
        let settings = self.known.settings(&self.config, &endpoints);
        self.gate.router.apply(settings)?;
        let fleet = self.gate.router.fleet();
        self.roster.tell(&fleet);
        self.known.seed(&endpoints, &fleet);
        self.tell();
        Ok(())
    }

    /// Tells metrics and operators.
    fn tell(&mut self) {
        let fleet = self.gate.router.fleet();
        self.gate.metrics.follow(&fleet);
        self.models = fleet.models();
        let (endpoints, left_out) = self.roster.status();
        let status = Status {
            sources: self.sources.status(),
            endpoints,
            left_out,
        };
        self.gate.endpoints.store(Arc::new(status));
    }
}

/// The keys that changed and are read at the start only.
fn fixed_changes(old: &Config, new: &Config) -> Vec<&'static str> {
    let fleet = |config: &Config| {
        let fleet = config.router.fleet;
        (fleet.telemetry, fleet.health, fleet.residency)
    };
    let changed = [
        ("listen", old.listen != new.listen),
        ("metrics", old.metrics_listen != new.metrics_listen),
        ("threads", old.threads != new.threads),
        ("log", old.log != new.log),
        ("drain", old.drain != new.drain),
        ("responses", old.responses != new.responses),
        ("state", old.state_file != new.state_file),
        ("telemetry, health or prefix", fleet(old) != fleet(new)),
    ];
    changed
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(key, _)| key)
        .collect()
}
