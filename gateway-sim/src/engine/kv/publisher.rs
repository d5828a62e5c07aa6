//! The publisher's sockets, its sequence and its memory.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use zeromq::{Endpoint, PubSocket, RouterSocket, Socket, SocketRecv, SocketSend, ZmqMessage};

use super::wire;
use crate::engine::clock::Clock;
use crate::engine::config::KvEventsConfig;
use crate::engine::handle::StartError;
use crate::engine::shell::Life;
use crate::model::KvEvent;

/// The number that ends an answer to a replay request: -1.
const END: [u8; 8] = [0xff; 8];

/// The engine's end of the publisher: takes batches, never waits.
#[derive(Debug)]
pub(in crate::engine) struct KvFeed {
    batches: mpsc::Sender<(u64, Vec<KvEvent>)>,
    next: AtomicU64,
    /// The configuration with the addresses that were bound.
    pub(in crate::engine) bound: KvEventsConfig,
}

impl KvFeed {
    /// Numbers a batch and hands it over. False where it is lost, to the full queue or by order; its number is used up
    /// all the same, so that a subscriber sees the gap.
    pub(in crate::engine) fn publish(&self, events: Vec<KvEvent>, is_lost: bool) -> bool {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        !is_lost && self.batches.try_send((number, events)).is_ok()
    }
}

/// The task that owns the sockets.
pub(in crate::engine) struct KvPublisher {
    config: KvEventsConfig,
    block_tokens: u32,
    batches: mpsc::Receiver<(u64, Vec<KvEvent>)>,
    publisher: PubSocket,
    replay: Option<RouterSocket>,
    sent: VecDeque<(u64, Bytes)>,
}

impl KvPublisher {
    /// Binds the sockets.
    pub(in crate::engine) async fn bind(
        mut config: KvEventsConfig,
        block_tokens: u32,
    ) -> Result<(KvFeed, Self), StartError> {
        let mut publisher = PubSocket::new();
        config.publish = bind(&mut publisher, config.publish).await?;
        let mut replay = None;
        if let Some(addr) = config.replay {
            let mut router = RouterSocket::new();
            config.replay = Some(bind(&mut router, addr).await?);
            replay = Some(router);
        }
        let (sender, batches) = mpsc::channel(config.max_queue.max(1));
        let feed = KvFeed {
            batches: sender,
            next: AtomicU64::new(0),
            bound: config.clone(),
        };
        Ok((
            feed,
            Self {
                config,
                block_tokens,
                batches,
                publisher,
                replay,
                sent: VecDeque::new(),
            },
        ))
    }

    /// Publishes and replays until the engine dies.
    pub(in crate::engine) async fn run(mut self, mut life: watch::Receiver<Life>) {
        loop {
            tokio::select! {
                batch = self.batches.recv() => match batch {
                    Some((number, events)) => self.publish(number, &events).await,
                    None => return,
                },
                request = next_request(&mut self.replay) => self.answer(&request).await,
                () = Life::reached(&mut life, Life::Dead) => return,
            }
        }
    }

    async fn publish(&mut self, number: u64, events: &[KvEvent]) {
        let payload = wire::encode(
            self.config.form,
            Clock::unix_seconds(),
            events,
            self.block_tokens,
        );
        let frames = vec![self.topic(), number_frame(number), payload.clone()];
        self.sent.push_back((number, payload));
        while self.sent.len() > self.config.buffer_steps {
            self.sent.pop_front();
        }
        // A publisher without a reachable subscriber drops what it has to send; replay is the way back.
        let _ = self.publisher.send(message(frames)).await;
    }

    /// Answers `[identity, empty, first wanted number]`; anything else is ignored, as vLLM does.
    async fn answer(&mut self, request: &ZmqMessage) {
        let (Some(identity), Some(number)) = (request.get(0), request.get(2)) else {
            return;
        };
        let Ok(first) = <[u8; 8]>::try_from(number.as_ref()).map(u64::from_be_bytes) else {
            return;
        };
        let topic = self.topic();
        let Some(router) = &mut self.replay else {
            return;
        };
        let wanted = self.sent.iter().filter(|(number, _)| *number >= first);
        let batches =
            wanted.map(|(number, payload)| [topic.clone(), number_frame(*number), payload.clone()]);
        let end = [Bytes::new(), Bytes::from_static(&END), Bytes::new()];
        for frames in batches.chain([end]) {
            let envelope = [identity.clone(), Bytes::new()];
            if router
                .send(message(envelope.into_iter().chain(frames).collect()))
                .await
                .is_err()
            {
                return;
            }
        }
    }

    fn topic(&self) -> Bytes {
        Bytes::copy_from_slice(self.config.topic.as_bytes())
    }
}

/// The next replay request; never, where there is no socket for them.
async fn next_request(replay: &mut Option<RouterSocket>) -> ZmqMessage {
    if let Some(router) = replay {
        // An error means that the socket has nobody left to read from, so there is nothing to wait for.
        if let Ok(request) = router.recv().await {
            return request;
        }
    }
    std::future::pending().await
}

async fn bind(socket: &mut impl Socket, addr: SocketAddr) -> Result<SocketAddr, StartError> {
    match socket.bind(&format!("tcp://{addr}")).await {
        Ok(Endpoint::Tcp(_, port)) => Ok(SocketAddr::new(addr.ip(), port)),
        // The scheme above leaves no other kind.
        Ok(_) => Ok(addr),
        Err(error) => Err(StartError::KvEvents {
            addr,
            source: Box::new(error),
        }),
    }
}

fn number_frame(number: u64) -> Bytes {
    Bytes::copy_from_slice(&number.to_be_bytes())
}

fn message(frames: Vec<Bytes>) -> ZmqMessage {
    ZmqMessage::try_from(frames).expect("never without frames")
}
