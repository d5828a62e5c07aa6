//! Hand-overs of prompts between engines, as those of each connector do them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use gateway_router::{
    RouteError,
    engine::EngineReply,
    proto::engines::{TokenCall, TokenEvent, TokenFinish},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    chat::{reply, words},
    errors,
    part::Part,
    state::{Engine, Lease},
    tokens::end_of,
    writer::{Writing, Wrote},
};

/// How long a leg waits for the other one, and how often it looks.
const WAITS: u32 = 100;
const LOOKS_EVERY: Duration = Duration::from_millis(10);

/// Two legs that meet.
#[derive(Default)]
struct Meeting {
    legs: u32,
    /// The process that prefills, where the legs tell themselves apart.
    giver: Option<String>,
}

/// What all engines of a schedule know of hand-overs.
#[derive(Default)]
pub(crate) struct Handovers(Mutex<Books>);

/// What an engine holds for another.
struct Held {
    holder: Arc<Engine>,
    process: u32,
    /// The request's id as the holder saw it.
    id: Arc<str>,
}

#[derive(Default)]
struct Books {
    made: u64,
    /// What is held, by number.
    held: BTreeMap<u64, Held>,
    fetched: BTreeSet<u64>,
    twice: u32,
    rooms: BTreeMap<u64, Meeting>,
}

impl Handovers {
    /// How often something was asked for that had been asked for before.
    pub(crate) fn asked_twice(&self) -> u32 {
        self.books().twice
    }

    /// How many were fetched, and rooms that two legs met in.
    pub(crate) fn made(&self) -> u64 {
        let books = self.books();
        let met = books.rooms.values().filter(|met| met.legs > 1).count();
        (books.fetched.len() + met) as u64
    }

    /// What was never asked for: the engine that held it, and for which request.
    pub(crate) fn unfetched(&self) -> Vec<(&'static str, Arc<str>)> {
        let books = self.books();
        let held = books.held.values();
        held.map(|held| (held.holder.name, Arc::clone(&held.id)))
            .collect()
    }

    /// At a schedule's end: engines and hand-overs know each other.
    pub(crate) fn forget(&self) {
        self.books().held.clear();
    }

    fn hold(&self, engine: &Arc<Engine>, id: &Arc<str>) -> u64 {
        let held = Held {
            holder: Arc::clone(engine),
            process: engine.condition().borrow().process,
            id: Arc::clone(id),
        };
        let mut books = self.books();
        books.made += 1;
        let number = books.made;
        books.held.insert(number, held);
        number
    }

    fn gives(&self, room: u64, process: String) {
        self.books().rooms.entry(room).or_default().giver = Some(process);
    }

    fn giver(&self, room: u64) -> Option<String> {
        self.books().rooms.get(&room)?.giver.clone()
    }

    fn fetch(&self, number: u64) -> Result<(), RouteError> {
        let mut books = self.books();
        if !books.fetched.insert(number) {
            books.twice += 1;
        }
        let held = books.held.remove(&number).ok_or_else(errors::failed)?;
        let now = *held.holder.condition().borrow();
        if now.process == held.process && now.transfers {
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
    /// What its bootstrap port says, as its health route would answer.
    pub(super) fn introduction(&self) -> Bytes {
        let ranks = json!({"0": {"engine_id": self.process_name()}});
        Bytes::from(ranks.to_string())
    }

    fn process_name(&self) -> String {
        format!("{}/{}", self.name, self.condition().borrow().process)
    }

    /// Before it decodes: whatever it is to get from another engine.
    pub(super) async fn get_prompt(&self, part: &Part, id: &Arc<str>) -> Result<(), RouteError> {
        match part {
            Part::Whole | Part::Hold | Part::HoldOrFinish | Part::Give(_) => return Ok(()),
            Part::Fetch(number) => self.handovers.fetch(*number)?,
            Part::Meet(room) => self.meet(*room, id).await?,
            Part::Take(room, peer) => {
                self.meet(*room, id).await?;
                if self.handovers.giver(*room).as_ref() != Some(peer) {
                    return Err(errors::failed());
                }
            }
        }
        let works = self.condition().borrow().transfers;
        if works { Ok(()) } else { Err(errors::failed()) }
    }

    /// The prefill leg's answer.
    pub(super) async fn prefilled(
        self: &Arc<Self>,
        part: &Part,
        call: &TokenCall,
        id: Arc<str>,
        lease: Lease,
    ) -> Result<EngineReply, RouteError> {
        match part {
            Part::Give(room) => {
                self.handovers.gives(*room, self.process_name());
                self.meet(*room, &id).await?;
            }
            Part::Meet(room) => self.meet(*room, &id).await?,
            _ => {}
        }
        let mut first = call.clone();
        if *part == Part::HoldOrFinish {
            first.max_tokens = 1;
        }
        let mut writing = Writing::begin(lease, Arc::new(first), Arc::clone(&id));
        let mut written = None;
        loop {
            let piece = writing.pieces.recv().await;
            match &piece {
                Some(Wrote::End) => break,
                Some(Wrote::Tokens(events)) => written = events.first().cloned(),
                _ => {
                    end_of(piece.as_ref())?;
                }
            }
        }
        if !self.condition().borrow().transfers {
            // Where both legs meet, a prefill engine may give its own up under a polite 200.
            let (status, said) = match part {
                Part::Meet(_) => (200, r#"{"choices":[{"finish_reason":"abort"}]}"#),
                _ => (500, "{}"),
            };
            return Ok(reply(status, said));
        }
        let answer = match part {
            Part::Hold => self.held(&id),
            Part::HoldOrFinish => self.held_or_finished(&id, &written.expect("it is over")),
            _ => json!({"choices": []}),
        };
        Ok(reply(200, &answer.to_string()))
    }

    fn held(self: &Arc<Self>, id: &Arc<str>) -> Value {
        let number = self.handovers.hold(self, id);
        json!({"choices": [], "kv_transfer_params": {
            "do_remote_prefill": true, "do_remote_decode": false, "remote_engine_id": self.name,
            "remote_request_id": "r", "remote_block_ids": [[1]], "remote_host": "h", "remote_port": 1,
            "transfer_mode": "pull", "number": number,
        }})
    }

    fn held_or_finished(self: &Arc<Self>, id: &Arc<str>, first: &TokenEvent) -> Value {
        if matches!(first.finish, Some(TokenFinish::Stop { .. })) {
            let message = json!({"role": "assistant", "content": words(&first.ids)});
            let choice = json!({
                "index": 0, "message": message, "finish_reason": "stop", "token_ids": first.ids,
            });
            return json!({"choices": [choice]});
        }
        let number = self.handovers.hold(self, id);
        let params = json!({
            "request_type": "context_only", "ctx_request_id": number, "first_gen_tokens": first.ids,
        });
        let choice = json!({"index": 0, "finish_reason": "length", "disaggregated_params": params});
        json!({"choices": [choice], "prompt_token_ids": [1]})
    }

    async fn meet(&self, room: u64, id: &Arc<str>) -> Result<(), RouteError> {
        self.handovers.books().rooms.entry(room).or_default().legs += 1;
        let process = self.condition().borrow().process;
        for _ in 0..WAITS {
            if self.handovers.books().rooms[&room].legs > 1 {
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
