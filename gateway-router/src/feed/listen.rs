//! Addresses that this router listens at, for engines that connect to their subscriber.
//!
//! Endpoints may share an address. A message belongs to the source whose topic its first frame is; a source without a
//! topic takes what no other one claims. What belongs to nobody is counted and dropped.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::sleep,
};

use super::{
    FeedAddress,
    zmtp::{Kind, Peer, ZmtpError},
};

/// Engines that may be connected to one address at once.
const PEERS_AT_MOST: usize = 1_024;
/// Messages that wait for their source; while they do, their engine's connection is not read.
const MESSAGES_WAITING: usize = 64;
const PATIENCE: Duration = Duration::from_secs(5);
const BIND_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// The addresses listened at now, each as long as a source uses it.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Arc<Mutex<HashMap<FeedAddress, Weak<Listening>>>>);

/// One address and who hears what there.
struct Listening {
    sources: Mutex<HashMap<String, Heard>>,
    task: Mutex<Option<AbortHandle>>,
    peers: AtomicUsize,
    strays: AtomicU64,
    tickets: AtomicU64,
}

struct Heard {
    ticket: u64,
    messages: mpsc::Sender<Vec<Bytes>>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(task) = locked(&self.task).take() {
            task.abort();
        }
    }
}

/// A source's place at an address. Dropping it leaves.
pub(super) struct Inbox {
    listening: Arc<Listening>,
    topic: String,
    ticket: u64,
    messages: mpsc::Receiver<Vec<Bytes>>,
}

impl Inbox {
    /// The next message for this source. Waits for ever where no engine connects.
    pub(super) async fn recv(&mut self) -> Vec<Bytes> {
        match self.messages.recv().await {
            Some(message) => message,
            // Somebody else has taken the topic over; that one hears it now.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let mut sources = locked(&self.listening.sources);
        if sources
            .get(&self.topic)
            .is_some_and(|heard| heard.ticket == self.ticket)
        {
            sources.remove(&self.topic);
        }
    }
}

impl Listeners {
    /// Listens at `address` for `topic`, from now on.
    pub(super) fn open(&self, address: &FeedAddress, topic: &str, runtime: &Handle) -> Inbox {
        let mut all = locked(&self.0);
        all.retain(|_, listening| listening.strong_count() > 0);
        let known = all.get(address).and_then(Weak::upgrade);
        let listening = known.unwrap_or_else(|| begin(address, runtime));
        all.insert(address.clone(), Arc::downgrade(&listening));
        drop(all);
        let (sender, messages) = mpsc::channel(MESSAGES_WAITING);
        let ticket = listening.tickets.fetch_add(1, Relaxed);
        let heard = Heard {
            ticket,
            messages: sender,
        };
        locked(&listening.sources).insert(topic.to_owned(), heard);
        Inbox {
            listening,
            topic: topic.to_owned(),
            ticket,
            messages,
        }
    }
}

fn begin(address: &FeedAddress, runtime: &Handle) -> Arc<Listening> {
    let listening = Arc::new(Listening {
        sources: Mutex::default(),
        task: Mutex::default(),
        peers: AtomicUsize::new(0),
        strays: AtomicU64::new(0),
        tickets: AtomicU64::new(0),
    });
    let task = runtime.spawn(accept(address.clone(), Arc::downgrade(&listening)));
    *locked(&listening.task) = Some(task.abort_handle());
    listening
}

/// Accepts engines until nobody hears them any more. Aborting it ends its connections too.
async fn accept(address: FeedAddress, listening: Weak<Listening>) {
    let listener = bind(&address).await;
    tracing::info!(%address, "listening for KV events");
    let mut peers = JoinSet::new();
    loop {
        while peers.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: others must end first.
            sleep(BIND_AGAIN_AFTER).await;
            continue;
        };
        let Some(here) = listening.upgrade() else {
            return;
        };
        if here.peers.load(Relaxed) < PEERS_AT_MOST {
            here.peers.fetch_add(1, Relaxed);
            peers.spawn(hear(stream, listening.clone()));
        }
    }
}

async fn bind(address: &FeedAddress) -> TcpListener {
    let mut was_told = false;
    loop {
        match TcpListener::bind(address.bind_to()).await {
            Ok(listener) => return listener,
            Err(error) if was_told => tracing::debug!(%address, %error, "cannot listen yet"),
            Err(error) => {
                tracing::warn!(%address, %error, "cannot listen for KV events, trying again");
                was_told = true;
            }
        }
        sleep(BIND_AGAIN_AFTER).await;
    }
}

/// Takes in one engine's messages until it leaves.
async fn hear(stream: TcpStream, listening: Weak<Listening>) {
    if let Err(error) = relay(stream, &listening).await {
        tracing::debug!(%error, "a publisher left");
    }
    if let Some(here) = listening.upgrade() {
        here.peers.fetch_sub(1, Relaxed);
    }
}

async fn relay(stream: TcpStream, listening: &Weak<Listening>) -> Result<(), ZmtpError> {
    let mut peer = Peer::accept(stream, Kind::Sub, PATIENCE).await?;
    // Topics come and go with endpoints; who hears what is decided here.
    peer.subscribe(b"").await?;
    loop {
        let message = peer.recv().await?;
        let Some(here) = listening.upgrade() else {
            return Ok(());
        };
        let Some(source) = here.source(&message) else {
            if here.strays.fetch_add(1, Relaxed) == 0 {
                tracing::warn!("KV events with a topic that no endpoint has are dropped");
            }
            continue;
        };
        drop(here);
        // A source that went away between the two has nothing to miss.
        let _ = source.send(message).await;
    }
}

impl Listening {
    fn source(&self, message: &[Bytes]) -> Option<mpsc::Sender<Vec<Bytes>>> {
        let topic = message
            .first()
            .and_then(|topic| std::str::from_utf8(topic).ok())?;
        let sources = locked(&self.sources);
        let heard = sources.get(topic).or_else(|| sources.get(""))?;
        Some(heard.messages.clone())
    }
}

/// Each lock guards one step.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
