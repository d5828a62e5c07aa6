//! Taking up elsewhere what an engine has failed.

use std::{future::Future, pin::Pin, sync::Arc};

use gateway_core::Timestamp;
use gateway_proto::{
    engines::{TokenEvent, TokenFinish},
    ir::Format,
};

use super::{
    super::{retries::is_loss, run::Landed},
    attempt::{Begun, TokenWork},
    elsewhere::{self, may_move, thrown_out},
    lane::Asked,
    written::Written,
};
use crate::{ErrorKind, Resumption, RouteError, Stuck, router::Shared, snapshot::Snapshot};

/// The first tokens of a call that takes something up.
pub(super) type Begins = Pin<Box<dyn Future<Output = Result<Landed<Begun>, RouteError>> + Send>>;

/// What a stream needs to go on elsewhere: its call, and all that has been written.
pub(super) struct Survival {
    shared: Arc<Shared>,
    work: Arc<TokenWork>,
    attempts: u32,
    choices: Vec<Written>,
    /// Endpoints that failed, by name, the latest last.
    failed: Vec<Arc<str>>,
    /// Calls made.
    calls: u32,
    /// Nothing is shown before the end: the answer has a form, which can only be begun anew.
    holds_back: bool,
}

/// What went wrong with a call of a stream.
pub(super) struct Trouble {
    /// Which of the stream's calls.
    pub(super) part: usize,
    /// Of which choice, where the others go on.
    pub(super) choice: Option<u32>,
    pub(super) error: RouteError,
}

/// Where the call in trouble was, and until when.
pub(super) struct Scene {
    pub(super) endpoint: Option<Arc<str>>,
    pub(super) last_heard: Timestamp,
    /// The number of the stream's next call.
    pub(super) next_part: usize,
}

/// What is done about it.
pub(super) enum Remedy {
    /// Endings of choices that have all they may have, and calls for the others.
    GoOn {
        ended: Vec<TokenEvent>,
        calls: Vec<NewCall>,
    },
    /// The whole call again; what has come is forgotten.
    StartAgain(NewCall),
}

/// A call that is being begun.
pub(super) struct NewCall {
    pub(super) begins: Begins,
    pub(super) asked: Asked,
}

impl Survival {
    /// For calls that may be taken up; engines may have `died` on this one before it began.
    pub(super) fn of(
        shared: &Arc<Shared>,
        snapshot: &Snapshot,
        work: &Arc<TokenWork>,
        died: u32,
    ) -> Option<Box<Self>> {
        let call = &work.call;
        snapshot.migration.covers(&call.model).then(|| {
            Box::new(Self {
                shared: Arc::clone(shared),
                work: Arc::clone(work),
                attempts: snapshot.migration.attempts,
                choices: vec![Written::nothing(died); call.choices() as usize],
                failed: Vec::new(),
                calls: 0,
                holds_back: !work.stream && call.format != Format::Text,
            })
        })
    }

    /// The stream's call `part` begins; engines have `died` on it at the place where it stands.
    pub(super) fn begun(&mut self, part: usize, died: u32) {
        let own = self.choices.iter_mut().filter(|one| one.part == part);
        own.for_each(|choice| choice.deaths = died);
    }

    pub(super) fn holds_back(&self) -> bool {
        self.holds_back
    }

    /// Whether the stream has more than one call behind it.
    pub(super) fn has_moved(&self) -> bool {
        self.calls > 0
    }

    /// Takes in what goes to the reader.
    pub(super) fn note(&mut self, event: &TokenEvent) {
        if let Some(choice) = self.choices.get_mut(event.choice as usize) {
            choice.note(event);
        }
    }

    /// The tokens among `unread` events that the stream's call `part` wrote.
    pub(super) fn tokens_of<'e>(
        &self,
        part: usize,
        unread: impl Iterator<Item = &'e TokenEvent>,
    ) -> u64 {
        let is_own = |event: &&TokenEvent| {
            let choice = self.choices.get(event.choice as usize);
            choice.is_none_or(|choice| choice.part == part)
        };
        unread
            .filter(is_own)
            .map(|event| event.ids.len() as u64)
            .sum()
    }

    /// Whether the call `part` has nothing more to write.
    pub(super) fn is_idle(&self, part: usize) -> bool {
        self.unfinished(part).is_empty()
    }

    /// What to do about `trouble`.
    ///
    /// # Errors
    /// Where nothing is: why, if it might have been.
    pub(super) fn remedy(
        &mut self,
        trouble: &Trouble,
        scene: &Scene,
    ) -> Result<Remedy, Option<Stuck>> {
        let kind = trouble.error.kind();
        let hit = trouble
            .choice
            .map_or_else(|| self.unfinished(trouble.part), |choice| vec![choice]);
        let asked_for = self.work.call.choices();
        let (over, open): (Vec<u32>, Vec<u32>) = hit
            .into_iter()
            .filter(|&number| number < asked_for)
            .partition(|&number| self.ending(number).is_some());
        if !open.is_empty() {
            if !may_move(kind) {
                return Err(None);
            }
            self.check(&open, kind).map_err(Some)?;
        }
        self.remember(scene.endpoint.as_ref());
        if self.holds_back && !open.is_empty() {
            return Ok(Remedy::StartAgain(self.start_again(trouble, scene)));
        }
        let ended = over.into_iter().filter_map(|number| self.end(number));
        let ended = ended.collect();
        let calls = (scene.next_part..).zip(open);
        let calls = calls
            .map(|(part, number)| self.go_on(number, part, trouble, scene))
            .collect();
        Ok(Remedy::GoOn { ended, calls })
    }

    fn unfinished(&self, part: usize) -> Vec<u32> {
        let of_part = |(_, choice): &(u32, &Written)| choice.part == part && !choice.is_finished;
        let numbered = (0..).zip(&self.choices);
        numbered.filter(of_part).map(|(number, _)| number).collect()
    }

    fn ending(&self, number: u32) -> Option<TokenFinish> {
        self.choices.get(number as usize)?.ending(&self.work.call)
    }

    fn end(&mut self, number: u32) -> Option<TokenEvent> {
        let event = TokenEvent {
            choice: number,
            finish: self.ending(number),
            ..TokenEvent::default()
        };
        self.choices.get_mut(number as usize)?.note(&event);
        Some(event)
    }

    /// Whether these choices may be taken up; their calls are then paid for.
    fn check(&self, open: &[u32], kind: ErrorKind) -> Result<(), Stuck> {
        let choices = || open.iter().map(|&number| &self.choices[number as usize]);
        let has_form = self.work.call.format != Format::Text;
        if has_form && !self.holds_back && choices().any(|choice| !choice.ids.is_empty()) {
            return Err(Stuck::Form);
        }
        if choices().any(|choice| choice.deaths_with(kind) > 1) {
            return Err(Stuck::Deaths);
        }
        if choices().any(|choice| choice.resumed >= self.attempts) {
            return Err(Stuck::Attempts);
        }
        let calls = if self.holds_back { 1 } else { open.len() };
        let paid = (0..calls)
            .take_while(|_| self.shared.migrations.spend())
            .count();
        if paid < calls {
            (0..paid).for_each(|_| self.shared.migrations.refund());
            return Err(Stuck::Budget);
        }
        Ok(())
    }

    fn remember(&mut self, endpoint: Option<&Arc<str>>) {
        let Some(endpoint) = endpoint else { return };
        self.failed.retain(|known| known != endpoint);
        self.failed.push(Arc::clone(endpoint));
    }

    fn go_on(&mut self, number: u32, part: usize, trouble: &Trouble, scene: &Scene) -> NewCall {
        let choice = &mut self.choices[number as usize];
        let deaths = choice.deaths_with(trouble.error.kind());
        choice.taken_up(part, deaths);
        let call = choice.rest(&self.work.call, number);
        let asked = Asked {
            prompt_tokens: call.prompt.len() as u64,
            only: Some(number),
            since: Some(scene.last_heard),
        };
        let resumes = self.resumption(trouble, deaths, asked.prompt_tokens);
        self.begin(self.work.resumed(call, resumes), asked, trouble)
    }

    fn start_again(&mut self, trouble: &Trouble, scene: &Scene) -> NewCall {
        let kind = trouble.error.kind();
        let prompt_tokens = self.work.call.prompt.len() as u64;
        let (mut deaths, mut lost) = (0, prompt_tokens);
        for choice in &mut self.choices {
            deaths = deaths.max(choice.deaths_with(kind));
            lost += choice.ids.len() as u64;
            choice.forget();
        }
        for choice in &mut self.choices {
            choice.taken_up(scene.next_part, deaths);
        }
        let asked = Asked {
            prompt_tokens,
            only: None,
            since: None,
        };
        let resumes = self.resumption(trouble, deaths, lost);
        let work = self.work.resumed((*self.work.call).clone(), resumes);
        self.begin(work, asked, trouble)
    }

    fn resumption(&mut self, trouble: &Trouble, deaths: u32, recomputed_tokens: u64) -> Resumption {
        self.calls += 1;
        let cause = trouble.error.kind();
        Resumption {
            number: self.calls,
            cause,
            deaths,
            lost_at: is_loss(cause).then(|| self.shared.clock.now()),
            recomputed_tokens,
        }
    }

    fn begin(&self, work: TokenWork, asked: Asked, trouble: &Trouble) -> NewCall {
        tracing::info!(
            request_id = &*work.request_id,
            endpoint = self.failed.last().map_or("-", |name| &**name),
            error = %trouble.error,
            tokens = asked.prompt_tokens,
            "taking an answer up on another endpoint"
        );
        let failed = self.failed.clone();
        let shared = Arc::clone(&self.shared);
        let begins = elsewhere::begin(shared, work, failed, trouble.error.clone());
        NewCall {
            begins: Box::pin(begins),
            asked,
        }
    }
}

impl Trouble {
    /// An engine has thrown out one of the choices of a call.
    pub(super) fn thrown_out(part: usize, choice: u32) -> Self {
        Self {
            part,
            choice: Some(choice),
            error: thrown_out(),
        }
    }

    pub(super) fn failed(part: usize, error: RouteError) -> Self {
        Self {
            part,
            choice: None,
            error,
        }
    }
}
