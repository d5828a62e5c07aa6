//! The writing of one answer, on a task of its own as in an engine.

use std::sync::Arc;

use gateway_router::proto::engines::{IdLogprob, TokenCall, TokenEvent, TokenFinish};
use tokio::{
    sync::{mpsc, watch},
    task::AbortHandle,
    time::sleep,
};

use super::{
    condition::{Condition, Mode, Strike},
    state::Lease,
};
use crate::text::Text;

/// What fits between an engine and its reader.
const UNREAD: usize = 4;

/// A piece of an answer.
#[derive(Debug)]
pub(super) enum Wrote {
    Tokens(Vec<TokenEvent>),
    End,
    Struck(Strike),
    /// The process died, whether or not something had been written.
    Killed {
        begun: bool,
    },
}

/// An answer being written; dropped, it is given up.
pub(super) struct Writing {
    pub(super) pieces: mpsc::Receiver<Wrote>,
    task: AbortHandle,
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Writing {
    pub(super) fn begin(lease: Lease, call: Arc<TokenCall>, id: Arc<str>) -> Self {
        let (sender, pieces) = mpsc::channel(UNREAD);
        let texts = (0..call.choices()).map(|choice| Text::of(&call, choice));
        let writer = Writer {
            texts: texts.collect(),
            condition: lease.engine.condition(),
            written: 0,
            lease,
            call,
            id,
            sender,
        };
        let task = tokio::spawn(writer.run()).abort_handle();
        Self { pieces, task }
    }
}

struct Writer {
    lease: Lease,
    condition: watch::Receiver<Condition>,
    call: Arc<TokenCall>,
    id: Arc<str>,
    texts: Vec<Text>,
    /// Tokens of each open choice.
    written: u64,
    sender: mpsc::Sender<Wrote>,
}

impl Writer {
    async fn run(mut self) {
        let begun = *self.condition.borrow_and_update();
        let mut strikes = begun.strikes;
        loop {
            let now = *self.condition.borrow_and_update();
            if now.process != begun.process {
                let begun = self.written > 0;
                self.lease.engine.died_on(&self.id);
                return self.say(Wrote::Killed { begun }).await;
            }
            if now.strikes != strikes {
                strikes = now.strikes;
                if self.is_hit(strikes) {
                    return self.struck(now.strike).await;
                }
            }
            tokio::select! {
                biased;
                changed = self.condition.changed() => changed.expect("its engine lives"),
                () = sleep(now.pace), if now.mode != Mode::Hung => {
                    if self.goes_on().await {
                        continue;
                    }
                    return;
                }
            }
        }
    }

    /// A strike hits about half of the answers that are being written.
    fn is_hit(&self, strikes: u32) -> bool {
        let sum: u32 = self.id.bytes().map(u32::from).sum();
        (sum + strikes).is_multiple_of(2)
    }

    /// Writes a token of each choice; false after the last, or where the ambush was.
    async fn goes_on(&mut self) -> bool {
        if let Some(ambush) = self.lease.ambush
            && self.written >= ambush.after
        {
            self.struck(ambush.strike).await;
            return false;
        }
        let events = self.write();
        self.written += 1;
        self.say(Wrote::Tokens(events)).await;
        let is_over = self.texts.iter().all(|text| text.is_over);
        if is_over {
            self.say(Wrote::End).await;
        }
        !is_over
    }

    fn write(&mut self) -> Vec<TokenEvent> {
        let wants_logprobs = self.call.logprobs.is_some();
        let open = (0..).zip(&mut self.texts).filter(|(_, text)| !text.is_over);
        open.map(|(choice, text)| {
            let (id, finish) = text.next();
            let logprob = logprob(id);
            TokenEvent {
                choice,
                ids: vec![id],
                logprobs: wants_logprobs.then_some(logprob).into_iter().collect(),
                finish,
            }
        })
        .collect()
    }

    async fn struck(&mut self, strike: Strike) {
        if strike != Strike::Recompute {
            self.lease.engine.died_on(&self.id);
            return self.say(Wrote::Struck(strike)).await;
        }
        let open = (0..).zip(&self.texts).filter(|(_, text)| !text.is_over);
        let thrown_out = open.map(|(choice, _)| TokenEvent {
            choice,
            finish: Some(TokenFinish::Recomputed),
            ..TokenEvent::default()
        });
        let thrown_out = thrown_out.collect();
        self.say(Wrote::Tokens(thrown_out)).await;
        self.say(Wrote::End).await;
    }

    /// A reader that is gone aborts this task.
    async fn say(&self, piece: Wrote) {
        self.sender.send(piece).await.unwrap_or_default();
    }
}

pub(super) fn logprob(id: u32) -> IdLogprob {
    IdLogprob {
        id,
        logprob: -f64::from(id),
        top: Vec::new(),
    }
}
