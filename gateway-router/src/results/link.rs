//! The task that holds one engine's answer open.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use gateway_proto::engines::transfer::mindie::{Decoder, Limits, Message};
use http_body_util::BodyExt;
use tokio::{
    runtime::Handle,
    sync::watch,
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    ResultsStatus, Seat,
    board::{Board, NoSeat},
    status::DroppedPart,
};
use crate::{BoxBody, ErrorKind, Retry, RouteError, engine::EngineClient};

/// How long an engine may be silent: three of its heartbeats.
const SILENCE_AT_MOST: Duration = Duration::from_secs(15);

/// How long opening may take.
const OPENING_AT_MOST: Duration = Duration::from_secs(10);

/// How long an answer must have been open for its end to be no failure to open it.
const STEADY: Duration = Duration::from_secs(5);

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Before an engine that talks to somebody else is asked again: of two listeners each would break the other's answers.
const AFTER_TAKEN: Duration = Duration::from_secs(300);

/// How far the link has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It is being opened for the first time, or again after it had been up.
    Opening,
    Up,
    /// It could not be opened the last time.
    Down,
}

/// An endpoint's answers to all requests. Dropped by the last who holds it, the engine's answer is closed.
pub(crate) struct Results {
    board: Arc<Board>,
    client: Arc<ArcSwap<Opener>>,
    stage: watch::Receiver<Stage>,
    task: AbortHandle,
}

/// Who opens the answer. In a box of its own, as what is swapped must have a size.
struct Opener(Arc<dyn EngineClient>);

impl Results {
    /// Begins to listen to the engine behind `client`, the endpoint named `name`.
    pub(crate) fn begin(name: &str, client: Arc<dyn EngineClient>, runtime: &Handle) -> Arc<Self> {
        let board = Arc::<Board>::default();
        let (tells, stage) = watch::channel(Stage::Opening);
        let client = Arc::new(ArcSwap::from_pointee(Opener(client)));
        let link = Link {
            name: name.to_owned(),
            client: Arc::clone(&client),
            board: Arc::clone(&board),
            stage: tells,
        };
        let task = runtime.spawn(link.run()).abort_handle();
        Arc::new(Self {
            board,
            client,
            stage,
            task,
        })
    }

    /// The same engine is to be asked through `client` when its answer is opened the next time.
    pub(crate) fn open_by(&self, client: &Arc<dyn EngineClient>) {
        self.client.store(Arc::new(Opener(Arc::clone(client))));
    }

    /// A seat for the request that is going to be called `id`.
    ///
    /// # Errors
    /// Where the engine's answer is not open and could not be opened the last time, or too many wait.
    pub(crate) async fn enlist(self: &Arc<Self>, id: String) -> Result<Seat, RouteError> {
        let mut stage = self.stage.clone();
        loop {
            let seen = *stage.borrow_and_update();
            match self.board.enlist(&id) {
                Ok(slot) => return Ok(Seat::new(id, slot, Arc::clone(self))),
                Err(NoSeat::Full) => return Err(full()),
                Err(NoSeat::Down) if seen == Stage::Down => return Err(down()),
                Err(NoSeat::Down) => stage.changed().await.map_err(|_| down())?,
            }
        }
    }

    pub(crate) fn status(&self) -> ResultsStatus {
        self.board.status()
    }

    pub(super) fn board(&self) -> &Board {
        &self.board
    }
}

impl Drop for Results {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn back_off(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << failures).min(LONGEST_PAUSE)
}

fn down() -> RouteError {
    let message = "The decode engine's answers cannot be heard.";
    RouteError::engine(ErrorKind::Connect, Retry::OtherEndpoint, message)
}

fn full() -> RouteError {
    let message = "Too many requests wait for the decode engine's answers.";
    RouteError::engine(ErrorKind::Busy, Retry::OtherEndpoint, message)
}

/// Why an answer is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It could not be opened.
    Unopened,
    /// It broke off, fell silent or made no sense.
    Broken,
    /// The engine talks to somebody else.
    Taken,
}

struct Link {
    name: String,
    client: Arc<ArcSwap<Opener>>,
    board: Arc<Board>,
    stage: watch::Sender<Stage>,
}

impl Link {
    async fn run(self) {
        let mut failures = 0_u32;
        loop {
            let began = Instant::now();
            let end = self.listen().await;
            failures = match end {
                End::Broken if began.elapsed() >= STEADY => 0,
                End::Broken | End::Unopened => (failures + 1).min(10),
                End::Taken => 0,
            };
            let endpoint = self.name.as_str();
            let pause = match end {
                End::Taken => {
                    tracing::warn!(endpoint, "somebody else listens to the decode engine");
                    self.stage.send_replace(Stage::Down);
                    AFTER_TAKEN
                }
                End::Broken => {
                    tracing::warn!(endpoint, "the decode engine's answers broke off");
                    back_off(failures)
                }
                End::Unopened => {
                    self.stage.send_replace(Stage::Down);
                    back_off(failures)
                }
            };
            sleep(pause).await;
        }
    }

    /// One answer, from its head to its end.
    async fn listen(&self) -> End {
        let client = Arc::clone(&self.client.load().0);
        let opened = timeout(OPENING_AT_MOST, client.results()).await;
        let Some(reply) = opened.ok().and_then(Result::ok) else {
            return End::Unopened;
        };
        if !reply.status.is_success() {
            return End::Unopened;
        }
        self.board.up();
        self.stage.send_replace(Stage::Up);
        tracing::info!(endpoint = self.name, "the decode engine's answers are open");
        let end = self.read(reply.body).await;
        // Before anybody is told, so that whoever asks on waits for the next opening.
        self.stage.send_replace(Stage::Opening);
        self.board.down();
        end
    }

    async fn read(&self, mut body: BoxBody) -> End {
        let mut decoder = Decoder::new(Limits::default());
        let mut unknown = 0;
        loop {
            let frame = match timeout(SILENCE_AT_MOST, body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(_)) | None) | Err(_) => return End::Broken,
            };
            if let Ok(chunk) = frame.into_data() {
                decoder.feed(&chunk);
            }
            if let Some(end) = self.drain(&mut decoder) {
                return end;
            }
            let known = std::mem::replace(&mut unknown, decoder.unknown());
            let counts = &self.board.counts;
            counts.drop_parts(DroppedPart::UnknownKind, unknown - known);
        }
    }

    /// Gives away what has come; what ends the answer, if anything did.
    fn drain(&self, decoder: &mut Decoder) -> Option<End> {
        loop {
            match decoder.next_message() {
                Ok(None) => return None,
                Ok(Some(Message::Part(part))) => self.board.give(part),
                Ok(Some(Message::Heartbeat)) => {}
                Ok(Some(Message::Close)) => return Some(End::Taken),
                Err(error) => {
                    self.board.counts.drop_parts(DroppedPart::Malformed, 1);
                    if error.is_fatal() {
                        return Some(End::Broken);
                    }
                }
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.board.down();
    }
}
