//! Hand-overs of prompts between engines, as vLLM's NIXL and SGLang's bootstrap do them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gateway_router::{
    RouteError,
    engine::{EngineReply, GenerateCall},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    chat::reply,
    errors,
    state::{Engine, Lease},
    tokens::end_of,
    writer::{Writing, Wrote},
};

/// How long a leg waits for the other one, and how often it looks.
const WAITS: u32 = 100;
const LOOKS_EVERY: Duration = Duration::from_millis(10);

/// What one leg is asked for besides its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Nothing: it serves the whole request.
    Whole,
    /// To hold the prompt for somebody.
    Hold,
    /// To fetch what is held under this number.
    Fetch(u64),
    /// To meet the other leg in this room.
    Meet(u64),
}

impl Part {
    fn of(call: &GenerateCall) -> Self {
        let Some(edit) = &call.edit else {
            return Self::Whole;
        };
        let body = edit.apply(b"{}").expect("an object");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let params = &body["kv_transfer_params"];
        if params["do_remote_decode"] == true {
            return Self::Hold;
        }
        if let Some(number) = params["number"].as_u64() {
            return Self::Fetch(number);
        }
        let room = body["bootstrap_room"].as_u64();
        room.map_or(Self::Whole, Self::Meet)
    }
}

/// What all engines of a schedule know of hand-overs.
#[derive(Default)]
pub(crate) struct Handovers(Mutex<Books>);

#[derive(Default)]
struct Books {
    made: u64,
    /// What is held, by number: which process holds it.
    held: BTreeMap<u64, (Arc<Engine>, u32)>,
    fetched: BTreeSet<u64>,
    twice: u32,
    /// Legs that have come to each room.
    rooms: BTreeMap<u64, u32>,
}

impl Handovers {
    /// How often something was asked for that had been asked for before.
    pub(crate) fn asked_twice(&self) -> u32 {
        self.books().twice
    }

    /// How many were fetched, and rooms that two legs met in.
    pub(crate) fn made(&self) -> u64 {
        let books = self.books();
        let met = books.rooms.values().filter(|legs| **legs > 1).count();
        (books.fetched.len() + met) as u64
    }

    /// At a schedule's end: engines and hand-overs know each other.
    pub(crate) fn forget(&self) {
        self.books().held.clear();
    }

    fn hold(&self, engine: &Arc<Engine>) -> u64 {
        let process = engine.condition().borrow().process;
        let mut books = self.books();
        books.made += 1;
        let number = books.made;
        books.held.insert(number, (Arc::clone(engine), process));
        number
    }

    fn fetch(&self, number: u64) -> Result<(), RouteError> {
        let mut books = self.books();
        if !books.fetched.insert(number) {
            books.twice += 1;
        }
        let (holder, process) = books.held.remove(&number).ok_or_else(errors::failed)?;
        let now = *holder.condition().borrow();
        if now.process == process && now.transfers {
            Ok(())
        } else {
            Err(errors::failed())
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Before it decodes: whatever it is to get from another engine.
    pub(super) async fn get_prompt(
        &self,
        call: &GenerateCall,
        id: &Arc<str>,
    ) -> Result<(), RouteError> {
        match Part::of(call) {
            Part::Whole | Part::Hold => return Ok(()),
            Part::Fetch(number) => self.handovers.fetch(number)?,
            Part::Meet(room) => self.meet(room, id).await?,
        }
        let works = self.condition().borrow().transfers;
        if works { Ok(()) } else { Err(errors::failed()) }
    }

    /// The prefill leg's answer.
    pub(super) async fn prefilled(
        self: &Arc<Self>,
        call: &GenerateCall,
        id: Arc<str>,
        lease: Lease,
    ) -> Result<EngineReply, RouteError> {
        let part = Part::of(call);
        if let Part::Meet(room) = part {
            self.meet(room, &id).await?;
        }
        let mut writing = Writing::begin(lease, Arc::clone(&call.call), id);
        loop {
            let piece = writing.pieces.recv().await;
            if matches!(piece, Some(Wrote::End)) {
                break;
            }
            end_of(piece.as_ref())?;
        }
        if !self.condition().borrow().transfers {
            return Ok(reply(500, "{}"));
        }
        let mut answer = json!({"choices": []});
        if part == Part::Hold {
            let number = self.handovers.hold(self);
            answer["kv_transfer_params"] = json!({"do_remote_prefill": true, "do_remote_decode": false,
                "remote_engine_id": self.name, "remote_request_id": "r", "remote_block_ids": [[1]],
                "remote_host": "h", "remote_port": 1, "transfer_mode": "pull", "number": number});
        }
        Ok(reply(200, &answer.to_string()))
    }

    async fn meet(&self, room: u64, id: &Arc<str>) -> Result<(), RouteError> {
        *self.handovers.books().rooms.entry(room).or_default() += 1;
        let process = self.condition().borrow().process;
        for _ in 0..WAITS {
            if self.handovers.books().rooms[&room] > 1 {
                return Ok(());
            }
            sleep(LOOKS_EVERY).await;
            if self.condition().borrow().process != process {
                self.died_on(id);
                return Err(errors::closed());
            }
        }
        Err(errors::failed())
    }
}
