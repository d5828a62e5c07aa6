//! Addresses that this router listens at, for engines that connect to their subscriber.
//!
//! Endpoints may share an address. A message belongs to the source whose topic its first frame is; a source without a
//! topic takes what no other one claims. What belongs to nobody is counted and dropped. An engine that leaves is told to
//! the sources that heard it last: it has likely died, and what it sends after it came back may be another life's.

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
/// No engine has this number.
const NOBODY: u64 = 0;
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
    /// Numbers of sources and engines given out so far.
    tickets: AtomicU64,
}

struct Heard {
    ticket: u64,
    /// The engine that spoke last.
    speaker: u64,
    said: mpsc::Sender<Said>,
}

/// What comes in for a source.
pub(super) enum Said {
    Message(Vec<Bytes>),
    /// The engine that spoke last has left.
    Left,
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
    said: mpsc::Receiver<Said>,
}

impl Inbox {
    /// What comes next for this source. Waits for ever where no engine connects.
    pub(super) async fn recv(&mut self) -> Said {
        match self.said.recv().await {
            Some(said) => said,
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
        let (sender, said) = mpsc::channel(MESSAGES_WAITING);
        let ticket = listening.tickets.fetch_add(1, Relaxed);
        let heard = Heard {
            ticket,
            speaker: NOBODY,
            said: sender,
        };
        locked(&listening.sources).insert(topic.to_owned(), heard);
        Inbox {
            listening,
            topic: topic.to_owned(),
            ticket,
            said,
        }
    }
}

fn begin(address: &FeedAddress, runtime: &Handle) -> Arc<Listening> {
    let listening = Arc::new(Listening {
        sources: Mutex::default(),
        task: Mutex::default(),
        peers: AtomicUsize::new(0),
        strays: AtomicU64::new(0),
        tickets: AtomicU64::new(NOBODY + 1),
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
            let speaker = here.tickets.fetch_add(1, Relaxed);
            peers.spawn(hear(stream, listening.clone(), speaker));
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
async fn hear(stream: TcpStream, listening: Weak<Listening>, speaker: u64) {
    if let Err(error) = relay(stream, &listening, speaker).await {
        tracing::debug!(%error, "a publisher left");
    }
    let Some(here) = listening.upgrade() else {
        return;
    };
    here.peers.fetch_sub(1, Relaxed);
    let heard_by = here.last_heard_by(speaker);
    drop(here);
    for source in heard_by {
        let _ = source.send(Said::Left).await;
    }
}

async fn relay(
    stream: TcpStream,
    listening: &Weak<Listening>,
    speaker: u64,
) -> Result<(), ZmtpError> {
    let mut peer = Peer::accept(stream, Kind::Sub, PATIENCE).await?;
    // Topics come and go with endpoints; who hears what is decided here.
    peer.subscribe(b"").await?;
    loop {
        let message = peer.recv().await?;
        let Some(here) = listening.upgrade() else {
            return Ok(());
        };
        let Some(source) = here.source(&message, speaker) else {
            if here.strays.fetch_add(1, Relaxed) == 0 {
                tracing::warn!("KV events with a topic that no endpoint has are dropped");
            }
            continue;
        };
        drop(here);
        // A source that went away between the two has nothing to miss.
        let _ = source.send(Said::Message(message)).await;
    }
}

impl Listening {
    /// Whom a message is for, noting who spoke.
    fn source(&self, message: &[Bytes], speaker: u64) -> Option<mpsc::Sender<Said>> {
        let topic = message
            .first()
            .and_then(|topic| std::str::from_utf8(topic).ok())?;
        let mut sources = locked(&self.sources);
        let topic = if sources.contains_key(topic) {
            topic
        } else {
            ""
        };
        let heard = sources.get_mut(topic)?;
        heard.speaker = speaker;
        Some(heard.said.clone())
    }

    /// The sources that nobody else has spoken to since.
    fn last_heard_by(&self, speaker: u64) -> Vec<mpsc::Sender<Said>> {
        let sources = locked(&self.sources);
        let heard = sources.values().filter(|heard| heard.speaker == speaker);
        heard.map(|heard| heard.said.clone()).collect()
    }
}

/// Each lock guards one step.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
