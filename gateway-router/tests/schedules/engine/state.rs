//! One engine: its condition, what it holds, and what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use gateway_router::{RouteError, core::load::Telemetry};
use tokio::sync::watch;

use super::{
    condition::{Condition, Mode, Strike},
    errors,
    pair::Handovers,
};
use crate::plan::EnginePlan;

/// Tokens of a block.
pub(crate) const BLOCK_TOKENS: usize = 16;
/// Prompts remembered to be told of.
const PROMPTS: usize = 8;

/// How much an engine takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) slots: usize,
    pub(crate) blocks: usize,
}

/// A strike that waits for the next call, until that has written so many tokens of each choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ambush {
    pub(crate) after: u64,
    pub(crate) strike: Strike,
}

/// What happened to a request at an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Asked,
    /// The engine answered that it does not take it.
    Refused,
    /// The engine died on it, or seemed to.
    Died,
}

/// One line of what happened in the whole fleet.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) engine: &'static str,
    /// The request's id as the engine saw it.
    pub(crate) id: Arc<str>,
    pub(crate) what: What,
}

/// What happened at all engines, in order.
pub(crate) type Journal = Arc<Mutex<Vec<Entry>>>;

/// An engine under a name, whatever process is behind it.
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    condition: watch::Sender<Condition>,
    room: Room,
    /// Whether its usage counts arrive with an answer's end.
    pub(super) tells_usage: bool,
    books: Mutex<Books>,
    journal: Journal,
    pub(super) handovers: Arc<Handovers>,
}

struct Books {
    used: Room,
    ambushes: VecDeque<Ambush>,
    prompts: VecDeque<Arc<[u32]>>,
    /// Prompt tokens that this process has taken.
    taken: u64,
}

impl Engine {
    pub(crate) fn new(
        plan: &EnginePlan,
        journal: &Journal,
        handovers: &Arc<Handovers>,
    ) -> Arc<Self> {
        let nothing = Room {
            slots: 0,
            blocks: 0,
        };
        Arc::new(Self {
            name: plan.name,
            condition: watch::Sender::new(Condition::default()),
            room: plan.room,
            tells_usage: plan.tells_usage,
            books: Mutex::new(Books {
                used: nothing,
                ambushes: VecDeque::new(),
                prompts: VecDeque::new(),
                taken: 0,
            }),
            journal: Arc::clone(journal),
            handovers: Arc::clone(handovers),
        })
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Condition)) {
        self.condition.send_modify(change);
    }

    /// The process ends, and all it held with it.
    pub(crate) fn kill(&self) {
        let mut books = self.books();
        (books.taken, books.prompts) = (0, VecDeque::new());
        drop(books);
        self.change(|now| {
            now.mode = Mode::Dead;
            now.process += 1;
        });
    }

    pub(crate) fn ambush(&self, ambush: Ambush) {
        self.books().ambushes.push_back(ambush);
    }

    /// What it holds for requests.
    pub(crate) fn used(&self) -> Room {
        self.books().used
    }

    /// The prompts that it has taken since it was last asked for them.
    pub(crate) fn new_prompts(&self) -> Vec<Arc<[u32]>> {
        self.books().prompts.drain(..).collect()
    }

    pub(super) fn condition(&self) -> watch::Receiver<Condition> {
        self.condition.subscribe()
    }

    pub(super) fn died_on(&self, id: &Arc<str>) {
        self.note(id, What::Died);
    }

    fn note(&self, id: &Arc<str>, what: What) {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.push(Entry {
            engine: self.name,
            id: Arc::clone(id),
            what,
        });
    }

    /// Waits until it takes the request, as long as it hangs.
    pub(super) async fn admit(
        self: &Arc<Self>,
        id: &Arc<str>,
        prompt: &Arc<[u32]>,
        max_tokens: u64,
    ) -> Result<Lease, RouteError> {
        self.note(id, What::Asked);
        let mut condition = self.condition();
        let process = condition.borrow().process;
        loop {
            let now = *condition.borrow_and_update();
            if now.process != process {
                self.died_on(id);
                return Err(errors::closed());
            }
            match now.mode {
                Mode::Dead => return Err(errors::unreachable()),
                Mode::Refuses(status) => return Err(self.refused(id, status)),
                Mode::Well => return self.lease(id, prompt, max_tokens),
                Mode::Hung => condition.changed().await.expect("its engine lives"),
            }
        }
    }

    fn refused(&self, id: &Arc<str>, status: u16) -> RouteError {
        self.note(id, What::Refused);
        errors::refused(status)
    }

    fn lease(
        self: &Arc<Self>,
        id: &Arc<str>,
        prompt: &Arc<[u32]>,
        max_tokens: u64,
    ) -> Result<Lease, RouteError> {
        let tokens = prompt.len() + usize::try_from(max_tokens).expect("a small number");
        let blocks = tokens.div_ceil(BLOCK_TOKENS);
        let mut books = self.books();
        let used = Room {
            slots: books.used.slots + 1,
            blocks: books.used.blocks + blocks,
        };
        if used.slots > self.room.slots || used.blocks > self.room.blocks {
            return Err(self.refused(id, 503));
        }
        books.used = used;
        books.taken += prompt.len() as u64;
        if books.prompts.len() == PROMPTS {
            books.prompts.pop_front();
        }
        books.prompts.push_back(Arc::clone(prompt));
        Ok(Lease {
            ambush: books.ambushes.pop_front(),
            engine: Arc::clone(self),
            blocks,
        })
    }

    pub(super) fn reading(&self) -> Telemetry {
        let books = self.books();
        let share = books.used.blocks as f32 / self.room.blocks as f32;
        Telemetry {
            running: Some(u32::try_from(books.used.slots).expect("few")),
            waiting: Some(0),
            kv_used: Some(share),
            kv_capacity_tokens: Some((self.room.blocks * BLOCK_TOKENS) as u64),
            block_tokens: Some(BLOCK_TOKENS as u32),
            prompt_tokens: Some(books.taken),
            ..Telemetry::default()
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's slot and blocks, given back when it is dropped.
pub(super) struct Lease {
    pub(super) engine: Arc<Engine>,
    pub(super) ambush: Option<Ambush>,
    blocks: usize,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut books = self.engine.books();
        books.used.slots -= 1;
        books.used.blocks -= self.blocks;
    }
}
