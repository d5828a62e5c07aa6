//! What an engine remembers of its pairs.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gateway_core::Rng;
use tokio::sync::watch;

use super::TransferConfig;
use super::mindie::Dmi;
use super::peer::Peer;
use super::rooms::Rooms;
use crate::engine::clock::Clock;

/// The most engines whose addresses are remembered.
const MOST_PEERS: usize = 256;

/// One engine's side of all its pairs.
#[derive(Debug)]
pub(in crate::engine) struct Transfer {
    pub(in crate::engine) config: TransferConfig,
    /// The address that was bound.
    pub(in crate::engine) addr: SocketAddr,
    /// Different for each engine and each start.
    pub(in crate::engine) engine_id: String,
    pub(super) rooms: Rooms,
    pub(in crate::engine) dmi: Dmi,
    /// Moves when blocks become ready to be fetched.
    pub(super) ready: watch::Sender<u64>,
    pub(in crate::engine) counts: TransferCounts,
    peers: Mutex<HashMap<String, Peer>>,
}

/// What happened to transfers so far.
#[derive(Debug, Default)]
pub(in crate::engine) struct TransferCounts {
    /// Fetched with the right content.
    pub(in crate::engine) fetched: AtomicU64,
    /// Answered although the blocks were no longer those of the prompt.
    pub(in crate::engine) spoilt: AtomicU64,
    /// That failed.
    pub(in crate::engine) failed: AtomicU64,
    /// Questions of other engines that were not answered with what is held.
    pub(in crate::engine) unsent: AtomicU64,
}

impl Transfer {
    pub(in crate::engine) fn new(config: TransferConfig, addr: SocketAddr) -> Self {
        let seed = Clock::unix_seconds().to_bits() ^ u64::from(addr.port()).rotate_left(40);
        let mut rng = Rng::from_seed(seed);
        Self {
            config,
            addr,
            engine_id: format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64()),
            rooms: Rooms::default(),
            dmi: Dmi::default(),
            ready: watch::Sender::new(0),
            counts: TransferCounts::default(),
            peers: Mutex::default(),
        }
    }

    /// Says that blocks became ready.
    pub(in crate::engine) fn announce(&self) {
        self.ready.send_modify(|count| *count += 1);
    }

    /// Prefill legs that wait for their partners.
    pub(in crate::engine) fn lonely(&self) -> usize {
        self.rooms.lonely()
    }

    /// The host under which others reach the listener.
    pub(super) fn host(&self) -> IpAddr {
        match self.addr.ip() {
            any if any.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            ip => ip,
        }
    }

    /// How long KV of so many tokens takes on its way, in the model's time.
    pub(in crate::engine) fn span_of(&self, tokens: usize) -> Duration {
        let rate = f64::from(self.config.tokens_per_second.max(1));
        #[expect(
            clippy::cast_precision_loss,
            reason = "token counts stay far below 2^52"
        )]
        Duration::from_secs_f64(tokens as f64 / rate)
    }

    /// Where an engine was met before.
    pub(super) fn known(&self, engine_id: &str) -> Option<Peer> {
        self.peers().get(engine_id).cloned()
    }

    /// Remembers where an engine was met.
    pub(super) fn learn(&self, engine_id: &str, peer: &Peer) {
        let mut peers = self.peers();
        if peers.len() >= MOST_PEERS {
            peers.clear();
        }
        peers.insert(engine_id.to_owned(), peer.clone());
    }

    fn peers(&self) -> std::sync::MutexGuard<'_, HashMap<String, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
