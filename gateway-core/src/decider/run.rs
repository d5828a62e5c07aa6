//! The router that messages drive.

use super::{
    Answer, Ask, Finish, FirstToken, Init, KvNote, Message, PrefillDone, TelemetryNote,
    world::World,
};
use crate::{Explanation, Fleet, Pipelines};

/// What made a message meaningless.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// A message that needs a fleet came before one.
    #[error("`{0}` came before `init`; send the fleet first")]
    NoFleet(&'static str),
    /// The fleet is none.
    #[error("init: {0}")]
    Fleet(String),
}

/// The decision core driven by messages; see the [module](super).
#[derive(Debug)]
pub struct Decider {
    policy: Policy,
    seed: u64,
    explains: bool,
    world: Option<World>,
}

/// Whose decisions are asked for.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) pipelines: Pipelines,
    pub(super) model: String,
}

/// An answer, with its record where that was asked for.
pub type Decided = (Answer, Option<Explanation>);

impl Decider {
    /// A router with these pipelines for `model`, whose answers follow from its input and `seed`.
    #[must_use]
    pub fn new(pipelines: Pipelines, model: impl Into<String>, seed: u64) -> Self {
        Self {
            policy: Policy {
                pipelines,
                model: model.into(),
            },
            seed,
            explains: false,
            world: None,
        }
    }

    /// Asks for the record of each decision.
    #[must_use]
    pub fn explaining(mut self) -> Self {
        self.explains = true;
        self
    }

    /// Takes a message; gives the answer to a request, with its record where that was asked for.
    ///
    /// # Errors
    /// Where the message makes no sense.
    pub fn message(&mut self, message: &Message) -> Result<Option<Decided>, DecideError> {
        match message {
            Message::Init(init) => self.init(init)?,
            Message::Telemetry(note) => self.telemetry(note)?,
            Message::Kv(note) => self.kv(note)?,
            Message::PrefillDone(note) => self.prefill_done(note)?,
            Message::FirstToken(note) => self.first_token(note)?,
            Message::Finish(note) => self.finish(note)?,
            Message::Route { req } => return self.route(req).map(Some),
        }
        Ok(None)
    }

    /// Starts over with a fleet.
    ///
    /// # Errors
    /// Where two engines share a number or there are too many.
    pub fn init(&mut self, init: &Init) -> Result<(), DecideError> {
        self.world = Some(World::new(init, &self.policy.model, self.seed)?);
        Ok(())
    }

    /// Answers a request.
    ///
    /// # Errors
    /// Where no fleet came before.
    pub fn route(&mut self, ask: &Ask) -> Result<Decided, DecideError> {
        let world = self.world.as_mut().ok_or(DecideError::NoFleet("route"))?;
        Ok(world.route(ask, &self.policy, self.explains))
    }

    /// Takes an engine's own word.
    ///
    /// # Errors
    /// Where no fleet came before.
    pub fn telemetry(&mut self, note: &TelemetryNote) -> Result<(), DecideError> {
        self.world("telemetry")?.telemetry(note);
        Ok(())
    }

    /// Takes changes of an engine's cache.
    ///
    /// # Errors
    /// Where no fleet came before.
    pub fn kv(&mut self, note: &KvNote) -> Result<(), DecideError> {
        self.world("kv")?.kv(note);
        Ok(())
    }

    /// The prefill half of a split request is done.
    ///
    /// # Errors
    /// Where no fleet came before.
    pub fn prefill_done(&mut self, note: &PrefillDone) -> Result<(), DecideError> {
        self.world("prefill_done")?.prefill_done(note);
        Ok(())
    }

    /// A request's first token is there.
    ///
    /// # Errors
    /// Where no fleet came before.
    pub fn first_token(&mut self, note: &FirstToken) -> Result<(), DecideError> {
        self.world("first_token")?.first_token(note);
        Ok(())
    }

    /// A request ended.
    ///
    /// # Errors
    /// Where no fleet came before.
    pub fn finish(&mut self, note: &Finish) -> Result<(), DecideError> {
        self.world("finish")?.finish(note);
        Ok(())
    }

    /// Messages since the last fleet that said nothing: of engines that are not in it, of requests that are not in flight,
    /// of samples older than one that came before; and requests in flight that were given up for want of room.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.world.as_ref().map_or(0, World::ignored)
    }

    /// The fleet as it is now, with what was learned of it.
    #[must_use]
    pub fn fleet(&self) -> Option<&Fleet> {
        self.world.as_ref().map(World::fleet)
    }

    fn world(&mut self, message: &'static str) -> Result<&mut World, DecideError> {
        self.world.as_mut().ok_or(DecideError::NoFleet(message))
    }
}
