//! The body of an answer that begins at the prefill engine and goes on at the decode engine.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use gateway_proto::engines::transfer::mindie::{Answered, What};
use http_body::{Body, Frame};
use serde_json::json;

use super::{RECOMPUTES_AT_MOST, claim::Claim, rounds::Rounds};
use crate::{BrokenBody, dispatch::work::Opening, results::Lost};

/// What a caller that takes nothing is told, and what engines are not blamed for.
const CLIENT_CLOSED: u16 = 499;

/// The answer, as one engine alone would have given it.
pub(in crate::dispatch::pair) struct Answer {
    /// What is there already.
    head: Option<Bytes>,
    /// `None` once it is over.
    claim: Option<Claim>,
    rounds: Rounds,
    recomputes: u32,
    /// The request is begun anew, in the middle of its answer.
    anew: Option<Opening<(Claim, Answered)>>,
}

impl Answer {
    /// The answer that begins with `head`; the rest of it comes to `claim`, where it is not over.
    pub(in crate::dispatch::pair) fn new(
        head: Bytes,
        claim: Option<Claim>,
        rounds: Rounds,
        recomputes: u32,
    ) -> Self {
        Self {
            head: Some(head),
            claim,
            rounds,
            recomputes,
            anew: None,
        }
    }

    /// Goes on with a new round.
    fn poll_anew(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, BrokenBody>> {
        let Some(anew) = &mut self.anew else {
            return Poll::Ready(Ok(Bytes::new()));
        };
        let begun = ready!(anew.as_mut().poll(cx));
        self.anew = None;
        let (claim, answered) = begun.map_err(|_| BrokenBody)?;
        self.claim = (!answered.is_last).then_some(claim);
        Poll::Ready(Ok(answered.first))
    }

    /// What a part means for those who read; `None` where it is for nobody's eyes.
    fn take(&mut self, part: Result<(What, Bytes), Lost>) -> Option<Result<Bytes, BrokenBody>> {
        match part {
            Ok((What::Data, body)) => Some(Ok(body)),
            Ok((What::Last, body)) => {
                self.claim = None;
                Some(Ok(body))
            }
            Ok((What::Retry, body)) if self.recomputes < RECOMPUTES_AT_MOST => {
                self.claim = None;
                self.recomputes += 1;
                self.anew = Some(self.rounds.again(self.recomputes, body));
                None
            }
            Ok((What::Error, words)) => {
                self.claim = None;
                Some(Ok(event(&String::from_utf8_lossy(&words), 500)))
            }
            Err(Lost::TooSlow) => {
                self.claim = None;
                let message =
                    "So much of the answer waited to be taken that the rest of it was given up.";
                Some(Ok(event(message, CLIENT_CLOSED)))
            }
            Ok((What::Retry, _)) | Err(Lost::Link) => Some(Err(BrokenBody)),
        }
    }
}

/// An error in the middle of a stream, in the words of engines.
fn event(message: &str, code: u16) -> Bytes {
    let told = json!({"error": {"message": message, "type": "decode_error", "code": code}});
    format!("data: {told}\n\n").into()
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BrokenBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenBody>>> {
        let this = &mut *self;
        if let Some(head) = this.head.take() {
            return Poll::Ready(Some(Ok(Frame::data(head))));
        }
        loop {
            let begun = ready!(this.poll_anew(cx));
            match begun {
                Ok(bytes) if bytes.is_empty() => {}
                begun => return Poll::Ready(Some(begun.map(Frame::data))),
            }
            let Some(claim) = &mut this.claim else {
                return Poll::Ready(None);
            };
            let part = ready!(claim.poll_part(cx));
            if let Some(said) = this.take(part) {
                return Poll::Ready(Some(said.map(Frame::data)));
            }
        }
    }
}
