//! The publisher's sockets, its sequence and its memory.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::{mpsc, watch};
use zeromq::{
    Endpoint, PubSocket, RouterSocket, Socket, SocketEvent, SocketRecv, SocketSend, ZmqMessage,
};

use super::wire;
use crate::engine::clock::Clock;
use crate::engine::config::KvEventsConfig;
use crate::engine::handle::StartError;
use crate::engine::shell::Life;
use crate::model::KvEvent;

/// The number that ends an answer to a replay request: -1.
const END: [u8; 8] = [0xff; 8];
/// How long one attempt to connect may take.
const RECONNECT: Duration = Duration::from_millis(500);

/// The engine's end of the publisher: takes batches, never waits.
#[derive(Debug)]
pub(in crate::engine) struct KvFeed {
    orders: mpsc::Sender<Order>,
    next: AtomicU64,
    /// The configuration with the addresses that were bound.
    pub(in crate::engine) bound: KvEventsConfig,
}

#[derive(Debug)]
enum Order {
    Publish(Step),
    Forget,
}

/// What became of the cache in one step of the engine.
#[derive(Debug)]
struct Step {
    number: u64,
    unix_seconds: f64,
    events: Vec<KvEvent>,
    fate: Fate,
}

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Fate {
    /// It is sent and kept.
    Sent,
    /// It is sent and kept, but so late.
    Late(Duration),
    /// It is kept for replay and not sent.
    LostOnTheWay,
    /// It is neither kept nor sent.
    Dropped,
}

impl KvFeed {
    /// Numbers a batch and hands it over. False where it is dropped, by the full queue or by fate; its number is used up
    /// all the same, so that a subscriber sees the gap.
    pub(in crate::engine) fn publish(&self, events: Vec<KvEvent>, fate: Fate) -> bool {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let order = Order::Publish(Step {
            number,
            unix_seconds: Clock::unix_seconds(),
            events,
            fate,
        });
        fate != Fate::Dropped && self.orders.try_send(order).is_ok()
    }

    /// Begins anew at number 0 with nothing to replay. What a full queue does not take leaves the old batches behind.
    pub(in crate::engine) fn restart(&self) {
        self.next.store(0, Ordering::Relaxed);
        let _ = self.orders.try_send(Order::Forget);
    }
}

/// The task that owns the sockets.
pub(in crate::engine) struct KvPublisher {
    config: KvEventsConfig,
    block_tokens: u32,
    rank: u32,
    orders: mpsc::Receiver<Order>,
    publisher: PubSocket,
    replay: Option<RouterSocket>,
    sent: VecDeque<(u64, Bytes)>,
}

impl KvPublisher {
    /// Binds the sockets.
    pub(in crate::engine) async fn bind(
        mut config: KvEventsConfig,
        block_tokens: u32,
        rank: u32,
    ) -> Result<(KvFeed, Self), StartError> {
        let mut publisher = PubSocket::new();
        if !config.connect {
            config.publish = bind(&mut publisher, config.publish).await?;
        }
        let mut replay = None;
        if let Some(addr) = config.replay {
            let mut router = RouterSocket::new();
            config.replay = Some(bind(&mut router, addr).await?);
            replay = Some(router);
        }
        let (sender, orders) = mpsc::channel(config.max_queue.max(1));
        let feed = KvFeed {
            orders: sender,
            next: AtomicU64::new(0),
            bound: config.clone(),
        };
        Ok((
            feed,
            Self {
                config,
                block_tokens,
                rank,
                orders,
                publisher,
                replay,
                sent: VecDeque::new(),
            },
        ))
    }

    /// Publishes and replays until the engine dies.
    pub(in crate::engine) async fn run(mut self, mut life: watch::Receiver<Life>) {
        let mut peers = self.publisher.monitor();
        let mut is_connected = !self.config.connect;
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(Order::Publish(step)) => {
                        if let Fate::Late(delay) = step.fate {
                            tokio::select! {
                                () = tokio::time::sleep(delay) => {}
                                () = Life::reached(&mut life, Life::Dead) => return,
                            }
                        }
                        self.publish(&step).await;
                    }
                    Some(Order::Forget) => self.sent.clear(),
                    None => return,
                },
                connected = connect(&mut self.publisher, self.config.publish), if !is_connected => {
                    is_connected = connected;
                }
                event = peers.next(), if is_connected && self.config.connect => {
                    is_connected = !matches!(event, Some(SocketEvent::Disconnected(_)) | None);
                }
                request = next_request(&mut self.replay) => self.answer(&request).await,
                () = Life::reached(&mut life, Life::Dead) => return,
            }
        }
    }

    async fn publish(&mut self, step: &Step) {
        let payload = wire::encode(
            self.config.form,
            self.config.hashes,
            step.unix_seconds,
            &step.events,
            self.block_tokens,
            self.rank,
        );
        let frames = vec![self.topic(), number_frame(step.number), payload.clone()];
        self.sent.push_back((step.number, payload));
        while self.sent.len() > self.config.buffer_steps {
            self.sent.pop_front();
        }
        if step.fate == Fate::LostOnTheWay {
            return;
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

/// Connects to a subscriber that binds, or says after a moment that it could not.
async fn connect(socket: &mut PubSocket, addr: SocketAddr) -> bool {
    let endpoint = format!("tcp://{addr}");
    let attempt = socket.connect(&endpoint);
    // The library would try for ever with longer and longer pauses.
    matches!(tokio::time::timeout(RECONNECT, attempt).await, Ok(Ok(())))
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
