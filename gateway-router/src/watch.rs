//! Watching engines: health probes and telemetry readings, each endpoint on a rhythm of its own.

use std::{collections::HashMap, sync::Arc, time::Duration};

use gateway_core::{
    Endpoint, EndpointId, Fleet, Rng,
    health::{Availability, Probe},
    load::Telemetry,
    residency::Room,
};
use tokio::{
    runtime::Handle,
    sync::Notify,
    task::AbortHandle,
    time::{sleep, timeout},
};

use crate::{
    Clock, ErrorKind, RouteError, WatchSettings,
    engine::EngineClient,
    feed::{EngineRestarted, FedBy, FeedStatus, Follower, Following, Listeners},
    snapshot::Snapshot,
};

/// The background tasks by endpoint; dropping them ends the watch.
#[derive(Default)]
pub(crate) struct Watchers {
    watched: HashMap<EndpointId, Watched>,
    listeners: Listeners,
}

struct Watched {
    client: Arc<dyn EngineClient>,
    settings: WatchSettings,
    blocks: BlockSizes,
    fed_by: FedBy,
    feed: Option<Following>,
    tasks: [AbortHandle; 3],
}

impl Drop for Watched {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Watchers {
    /// Watches what `snapshot` lists: goes on with what is unchanged, begins with what is new, ends the rest.
    pub(crate) fn follow(&mut self, snapshot: &Snapshot, clock: Clock, runtime: &Handle) {
        let mut next = HashMap::with_capacity(snapshot.fleet.endpoints().len());
        for endpoint in snapshot.fleet.endpoints() {
            let client = snapshot.engine(endpoint.id());
            let same = |old: &Watched| {
                Arc::ptr_eq(&old.client, client)
                    && old.settings == snapshot.watch
                    && old.blocks == BlockSizes::of(snapshot)
                    && old.fed_by == *snapshot.fed_by(endpoint.id())
            };
            let watched = match self.watched.remove(&endpoint.id()) {
                Some(old) if same(&old) => old,
                old => {
                    let fed = old.and_then(|mut old| old.feed.take());
                    let follow = |follower: Follower| follower.begin(fed, runtime);
                    begin(snapshot, endpoint, clock, runtime, &self.listeners, follow)
                }
            };
            next.insert(endpoint.id(), watched);
        }
        self.watched = next;
    }

    /// The KV feeds of the endpoints that have any.
    pub(crate) fn feeds(&self) -> impl Iterator<Item = (EndpointId, FeedStatus)> {
        let feeds = self.watched.iter();
        feeds.filter_map(|(id, watched)| Some((*id, watched.feed.as_ref()?.status())))
    }
}

fn begin(
    snapshot: &Snapshot,
    endpoint: &Arc<Endpoint>,
    clock: Clock,
    runtime: &Handle,
    listeners: &Listeners,
    follow: impl FnOnce(Follower) -> Option<Following>,
) -> Watched {
    let client = snapshot.engine(endpoint.id());
    let fed_by = snapshot.fed_by(endpoint.id()).clone();
    let follower = Follower {
        endpoint: Arc::clone(endpoint),
        fleet: snapshot.fleet.clone(),
        client: Arc::clone(client),
        told: fed_by.clone(),
        listeners: listeners.clone(),
    };
    let feed = follow(follower);
    let watch = Watch {
        endpoint: Arc::clone(endpoint),
        fleet: snapshot.fleet.clone(),
        client: Arc::clone(client),
        settings: snapshot.watch,
        blocks: BlockSizes::of(snapshot),
        clock,
        restarted: feed.as_ref().map(Following::engine_restarted),
        anew: Arc::default(),
    };
    let probes = runtime.spawn(watch.clone().probe());
    let lists = runtime.spawn(watch.clone().list_adapters());
    let readings = runtime.spawn(watch.read());
    Watched {
        client: Arc::clone(client),
        settings: snapshot.watch,
        blocks: BlockSizes::of(snapshot),
        fed_by,
        feed,
        tasks: [probes, readings, lists].map(|task| task.abort_handle()),
    }
}

#[derive(Clone)]
struct Watch {
    endpoint: Arc<Endpoint>,
    fleet: Fleet,
    client: Arc<dyn EngineClient>,
    settings: WatchSettings,
    blocks: BlockSizes,
    clock: Clock,
    restarted: Option<Arc<EngineRestarted>>,
    /// Told when the engine may have other adapters than before.
    anew: Arc<Notify>,
}

impl Watch {
    async fn probe(self) {
        let mut rhythm = Rhythm::new(&self, self.settings.probe_every);
        let mut was_up = true;
        loop {
            let answer = timeout(self.settings.probe_timeout, self.client.probe()).await;
            let reason = match &answer {
                Ok(Err(error)) => Some(error.to_api().message.clone()),
                Ok(Ok(())) => None,
                Err(_) => Some("Its probe had no answer in time.".to_owned()),
            };
            let probe = answer.map_or(Probe::Failed, verdict);
            let now = self.clock.now();
            self.endpoint
                .state()
                .probed(&self.fleet.config().health, probe, now);
            let availability = self.endpoint.state().availability(now);
            let is_up = availability.is_up();
            // One that is drained is as well as before, and keeps what it holds.
            if is_up != was_up && availability != Availability::Draining {
                self.changed(is_up, reason.as_deref());
                was_up = is_up;
            }
            // Down endpoints are asked at the same pace: coming back soon matters more than one small request.
            let pause = rhythm.next(true);
            let next = self.clock.now().after(pause);
            self.endpoint.state().probes_next(next);
            sleep(pause).await;
        }
    }

    /// `reason` is what the last probe met, where it failed.
    fn changed(&self, up: bool, reason: Option<&str>) {
        let endpoint = self.endpoint.name();
        if up {
            tracing::info!(endpoint, "endpoint is up");
            self.anew.notify_one();
        } else {
            let reason = reason.unwrap_or("Requests failed.");
            tracing::warn!(endpoint, reason, "endpoint is down");
            // Whatever it held is gone when it comes back, or at best unknown.
            self.forget();
        }
    }

    /// Forgets what the endpoint held, and has its feeds tell anew what it holds.
    fn forget(&self) {
        self.fleet.residency().forget(self.endpoint.id());
        self.client.forget_bootstrap();
        self.anew.notify_one();
        if let Some(restarted) = &self.restarted {
            restarted.tell();
        }
    }

    /// Keeps what is known of the engine's LoRA adapters current; ends at once where it cannot say.
    async fn list_adapters(self) {
        let mut rhythm = Rhythm::new(&self, self.settings.adapters_every);
        loop {
            let adapters = self.endpoint.state().adapters();
            let added = adapters.added();
            let answer = timeout(self.settings.probe_timeout, self.client.adapters()).await;
            let listed = match answer {
                Ok(Ok(None)) => return,
                Ok(Ok(Some(names))) => {
                    // What was loaded meanwhile may be missing.
                    let is_current = adapters.added() == added;
                    if is_current && adapters.set(names.iter().map(String::as_str)) {
                        let (endpoint, adapters) = (self.endpoint.name(), names.join(","));
                        tracing::info!(endpoint, adapters, "LoRA adapters");
                    }
                    is_current
                }
                _ => false,
            };
            // Whoever has come back is asked at once.
            drop(timeout(rhythm.next(listed), self.anew.notified()).await);
        }
    }

    async fn read(self) {
        let mut rhythm = Rhythm::new(&self, self.settings.telemetry_every);
        let mut last = Telemetry::default();
        loop {
            let mark = self.endpoint.state().mark(self.clock.now());
            let answer = timeout(self.settings.telemetry_timeout, self.client.telemetry()).await;
            let read = if let Ok(Ok(reading)) = answer {
                self.take_in(&mark, &last, &reading);
                self.make_room(&last, &reading);
                last = reading;
                true
            } else {
                false
            };
            // An engine that cannot be read has nothing held against it.
            let used = read.then(|| self.client.adapter_use()).flatten();
            self.endpoint.state().adapters().used(used);
            let residency = self.fleet.residency();
            residency.expire(self.endpoint.id(), self.clock.now());
            sleep(rhythm.next(read)).await;
        }
    }

    fn take_in(
        &self,
        mark: &gateway_core::load::SampleMark,
        last: &Telemetry,
        reading: &Telemetry,
    ) {
        if *reading == Telemetry::default() {
            return;
        }
        if restarted(last, reading) {
            tracing::info!(
                endpoint = self.endpoint.name(),
                "engine restarted, its prefix cache is empty"
            );
            self.forget();
            self.endpoint.state().restarted(self.clock.now());
        }
        self.endpoint.state().apply(mark, reading);
    }

    /// No more of what was served is remembered than the engine has room for.
    fn make_room(&self, last: &Telemetry, reading: &Telemetry) {
        let Some(tokens) = reading.kv_capacity_tokens.filter(|tokens| *tokens > 0) else {
            return;
        };
        if last.kv_capacity_tokens != Some(tokens) {
            let room = Room {
                tokens,
                per_token_block: self.blocks.by_token,
                per_byte_block: self.blocks.by_byte,
            };
            self.fleet.residency().set_room(self.endpoint.id(), room);
        }
    }
}

/// Tokens of one block of the router's own, by what keys it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct BlockSizes {
    by_token: u32,
    by_byte: u32,
}

impl BlockSizes {
    fn of(snapshot: &Snapshot) -> Self {
        Self {
            by_token: snapshot.feeds.block_tokens,
            by_byte: snapshot.text.block_tokens(),
        }
    }
}

/// What an answer to a probe says: where no connection could be made, nobody is there.
fn verdict(answer: Result<(), RouteError>) -> Probe {
    match answer {
        Ok(()) => Probe::Well,
        Err(error) if error.kind() == ErrorKind::Connect => Probe::Gone,
        Err(_) => Probe::Failed,
    }
}

/// Counters never fall while an engine lives.
fn restarted(last: &Telemetry, now: &Telemetry) -> bool {
    let fell = |before: Option<u64>, after: Option<u64>| matches!((before, after), (Some(b), Some(a)) if a < b);
    fell(last.prompt_tokens, now.prompt_tokens)
        || fell(last.generation_tokens, now.generation_tokens)
}

/// Pauses with jitter, so that endpoints and gateways do not ask in step, and with back-off after failures.
struct Rhythm {
    every: Duration,
    at_most: Duration,
    failures: u32,
    rng: Rng,
}

impl Rhythm {
    fn new(watch: &Watch, every: Duration) -> Self {
        let seed = watch.clock.now().as_micros() ^ (u64::from(watch.endpoint.id().0) << 40);
        Self {
            every,
            at_most: watch.settings.back_off_at_most.max(every),
            failures: 0,
            rng: Rng::from_seed(seed),
        }
    }

    fn next(&mut self, succeeded: bool) -> Duration {
        self.failures = if succeeded {
            0
        } else {
            (self.failures + 1).min(16)
        };
        let pause = self
            .every
            .saturating_mul(1 << self.failures)
            .min(self.at_most);
        pause.mul_f64(0.9 + 0.2 * self.rng.unit())
    }
}
