//! One WebSocket connection: messages in, one response at a time out.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use gateway_proto::{error::ApiError, openai::Api, responses::error_message};
use http::HeaderMap;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::{self, Instant};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message, Utf8Bytes,
        error::CapacityError,
        protocol::{Role, WebSocketConfig},
    },
};
use tracing::Instrument as _;

use super::{
    Memory,
    close::Close,
    turn::{self, Turn},
};
use crate::{
    gate::Gate,
    metrics::Rejection,
    serve::{error_reply::Refusal, responses::fault::refused},
    stage::Stage,
};

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
        // Whoever leaves early is told no status any more; what was begun counts as it began.
        talk.end_turn(None);
        let frame = close.frame();
        // Whoever has gone already needs no goodbye.
        let goodbye = time::timeout(Duration::from_secs(1), talk.socket.close(Some(frame))).await;
        tracing::debug!(?close, said = goodbye.is_ok(), "websocket closed");
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
                )))) => {
                    self.count(None, 413, Some(Rejection::TooLarge));
                    Err(Close::TooLarge)
                }
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
                return self
                    .refuse(&refused(ApiError::invalid_request(message)), None)
                    .await;
            }
            // Pings are answered below this.
            _ => return Ok(()),
        };
        if self.turn.is_some() {
            let message = "A response is being made on this connection. Wait for its end.";
            let error = ApiError::invalid_request(message).with_code("response_in_progress");
            return self.refuse(&refused(error), None).await;
        }
        self.sequence = 0;
        let mut model = None;
        match turn::begin(&self.gate, &self.headers, text, &self.memory, &mut model).await {
            Ok(turn) => {
                self.turn = Some(turn);
                Ok(())
            }
            Err(refusal) => {
                self.refuse(&refusal, model.as_deref()).await?;
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
                self.end_turn(Some(&refusal));
                self.fail(&refusal.api).await
            }
            None => {
                self.end_turn(None);
                Ok(())
            }
        }
    }

    /// Ends the response that is being made, if any, and counts it.
    fn end_turn(&mut self, refusal: Option<&Refusal>) {
        let Some(turn) = self.turn.take() else {
            return;
        };
        let status = refusal.map_or_else(|| turn.status(), |refusal| refusal.api.status);
        let at = refusal.and_then(|refusal| refusal.at);
        self.count(Some(turn.model()), status, at);
        if status >= 400 {
            turn.forget(&self.memory);
        }
    }

    /// Answers a message that makes no response.
    async fn refuse(&mut self, refusal: &Refusal, model: Option<&str>) -> Result<(), Close> {
        self.count(model, refusal.api.status, refusal.at);
        self.fail(&refusal.api).await
    }

    fn count(&self, model: Option<&str>, status: u16, at: Option<Rejection>) {
        self.gate.metrics.answered(Api::Responses, model, status);
        if let Some(at) = at {
            self.gate.metrics.door.reject(at);
            let reason = at.name();
            tracing::info!(target: "gateway::access", path = "websocket", status, reason, "refused");
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
