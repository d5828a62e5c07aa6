//! One WebSocket connection: messages in, one response at a time out.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use gateway_proto::{error::ApiError, responses::error_message};
use http::HeaderMap;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::{self, Instant};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message, Utf8Bytes,
        error::CapacityError,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};
use tracing::Instrument as _;

use super::{
    Memory,
    turn::{self, Turn},
};
use crate::{gate::Gate, serve::error_reply::Refusal, stage::Stage};

/// How long a connection may live, as the specification has it.
const LIFE: Duration = Duration::from_secs(60 * 60);
/// How long a connection may stay silent, pongs included.
const IDLE: Duration = Duration::from_secs(10 * 60);
/// How long a connection is silent before it is asked whether anybody is there.
const PING_AFTER: Duration = Duration::from_secs(30);

/// A connection that is about to speak WebSocket.
#[derive(Clone)]
pub(in crate::serve) struct Session {
    gate: Arc<Gate>,
    upgrade: OnUpgrade,
    headers: HeaderMap,
    message_bytes: usize,
}

impl Session {
    pub(super) fn new(
        gate: &Arc<Gate>,
        upgrade: OnUpgrade,
        headers: HeaderMap,
        message_bytes: usize,
    ) -> Self {
        Self {
            gate: Arc::clone(gate),
            upgrade,
            headers,
            message_bytes,
        }
    }

    /// Serves it to its end.
    pub(in crate::serve) async fn run(self) {
        self.converse()
            .instrument(tracing::debug_span!("websocket"))
            .await;
    }

    async fn converse(self) {
        let upgraded = match self.upgrade.await {
            Ok(upgraded) => upgraded,
            Err(error) => return tracing::debug!(%error, "a connection was not upgraded"),
        };
        let gate = Arc::clone(&self.gate);
        let _open = gate.metrics.responses.socket();
        let config = WebSocketConfig::default()
            .max_message_size(Some(self.message_bytes))
            .max_frame_size(Some(self.message_bytes));
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let mut talk = Talk {
            socket,
            gate: self.gate,
            headers: self.headers,
            memory: Memory::default(),
            turn: None,
            sequence: 0,
        };
        let close = talk.run().await;
        let (code, reason) = close.told();
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        };
        // Whoever has gone already needs no goodbye.
        let goodbye = time::timeout(Duration::from_secs(1), talk.socket.close(Some(frame))).await;
        tracing::debug!(?close, said = goodbye.is_ok(), "websocket closed");
    }
}

/// Why a connection is closed.
#[derive(Clone, Copy, Debug)]
enum Close {
    /// The caller wants it, or is gone.
    Caller,
    /// The gateway stops.
    Stopping,
    /// Nothing came for too long.
    Idle,
    /// It has lived as long as it may.
    Old,
    /// A message is too large.
    TooLarge,
    /// The caller's key does not count any more.
    Key,
}

impl Close {
    fn told(self) -> (CloseCode, &'static str) {
        match self {
            Self::Caller => (CloseCode::Normal, ""),
            Self::Stopping => (CloseCode::Away, "the gateway is stopping"),
            Self::Idle => (CloseCode::Away, "nothing came for too long"),
            Self::Old => (CloseCode::Away, "the connection has reached its age limit"),
            Self::TooLarge => (CloseCode::Size, "the message is too large"),
            Self::Key => (CloseCode::Policy, "the key is not valid any more"),
        }
    }
}

struct Talk {
    socket: WebSocketStream<TokioIo<Upgraded>>,
    gate: Arc<Gate>,
    headers: HeaderMap,
    memory: Memory,
    /// The response that is being made.
    turn: Option<Turn>,
    /// The number of the next event.
    sequence: u64,
}

/// What happens next.
enum Next {
    Heard(Option<Result<Message, tungstenite::Error>>),
    Wrote(Option<Result<Bytes, Box<Refusal>>>),
    Silent,
    Old,
    Stopping,
}

impl Talk {
    async fn run(&mut self) -> Close {
        let mut stages = self.gate.stages.subscribe();
        let old = Instant::now() + LIFE;
        let mut heard = Instant::now();
        loop {
            let is_free = self.turn.is_none();
            let next = tokio::select! {
                message = self.socket.next() => Next::Heard(message),
                bytes = turn::next(&mut self.turn), if !is_free => Next::Wrote(bytes),
                () = time::sleep_until(old), if is_free => Next::Old,
                () = crate::stage::wait(&mut stages, Stage::Closing), if is_free => Next::Stopping,
                () = time::sleep(PING_AFTER) => Next::Silent,
            };
            if matches!(next, Next::Heard(_)) {
                heard = Instant::now();
            }
            let done = match next {
                Next::Heard(Some(Ok(message))) => self.hear(message).await,
                Next::Heard(Some(Err(tungstenite::Error::Capacity(
                    CapacityError::MessageTooLong { .. },
                )))) => Err(Close::TooLarge),
                Next::Heard(_) => Err(Close::Caller),
                Next::Wrote(bytes) => self.tell(bytes).await,
                Next::Silent if is_free && heard.elapsed() > IDLE => Err(Close::Idle),
                Next::Silent => self.send(Message::Ping(Bytes::new())).await,
                Next::Old => self.end_of_life().await,
                Next::Stopping => Err(Close::Stopping),
            };
            if let Err(close) = done {
                return close;
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), Close> {
        let text = match message {
            Message::Text(text) => Bytes::from(text),
            Message::Close(_) => return Err(Close::Caller),
            Message::Binary(_) => {
                let message = "Messages are JSON texts; this one is binary.";
                return self.fail(&ApiError::invalid_request(message)).await;
            }
            // Pings are answered below this.
            _ => return Ok(()),
        };
        if self.turn.is_some() {
            let message = "A response is being made on this connection. Wait for its end.";
            let error = ApiError::invalid_request(message).with_code("response_in_progress");
            return self.fail(&error).await;
        }
        self.sequence = 0;
        match turn::begin(&self.gate, &self.headers, text, &self.memory).await {
            Ok(turn) => {
                self.turn = Some(turn);
                Ok(())
            }
            Err(refusal) => {
                self.fail(&refusal.api).await?;
                if refusal.api.status == 401 {
                    Err(Close::Key)
                } else {
                    Ok(())
                }
            }
        }
    }

    /// Passes on what was written of a response; nothing more means its end.
    async fn tell(&mut self, bytes: Option<Result<Bytes, Box<Refusal>>>) -> Result<(), Close> {
        match bytes {
            Some(Ok(bytes)) => self.lines(&bytes).await,
            Some(Err(refusal)) => {
                self.end_turn(refusal.api.status);
                self.fail(&refusal.api).await
            }
            None => {
                self.end_turn(200);
                Ok(())
            }
        }
    }

    fn end_turn(&mut self, status: u16) {
        if let Some(turn) = self.turn.take() {
            turn.count(&self.gate, status, &self.memory);
        }
    }

    /// Each line is a message.
    async fn lines(&mut self, bytes: &Bytes) -> Result<(), Close> {
        for line in bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let text = Utf8Bytes::try_from(bytes.slice_ref(line)).map_err(|_| Close::Caller)?;
            self.sequence += 1;
            let fed = self.socket.feed(Message::Text(text)).await;
            fed.map_err(|_| Close::Caller)?;
        }
        self.socket.flush().await.map_err(|_| Close::Caller)
    }

    async fn fail(&mut self, error: &ApiError) -> Result<(), Close> {
        let line = Bytes::from(error_message(error, self.sequence));
        self.lines(&line).await
    }

    async fn end_of_life(&mut self) -> Result<(), Close> {
        let message =
            "This connection has lived as long as it may. Open a new one and go on there.";
        let error = ApiError::invalid_request(message);
        self.fail(&error.with_code("websocket_connection_limit_reached"))
            .await?;
        Err(Close::Old)
    }

    async fn send(&mut self, message: Message) -> Result<(), Close> {
        self.socket.send(message).await.map_err(|_| Close::Caller)
    }
}
