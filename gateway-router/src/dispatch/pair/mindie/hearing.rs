//! What a decode engine is listened to for, up to its first word.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use gateway_proto::engines::transfer::mindie::What;

use super::{
    super::{
        legs::{Leg, Span},
        machine::Event,
        traced::Traced,
    },
    claim::{Claim, Duty},
};
use crate::{RouteError, dispatch::work::Opening};

/// The exchange with a decode engine that nothing is sent to.
#[derive(Default)]
pub(in crate::dispatch::pair) struct Hearing {
    joining: Option<Leg<Claim>>,
    first: Option<Leg<(Claim, (What, Bytes))>>,
    /// The place, once something was heard there.
    claim: Option<Claim>,
    duty: Option<Arc<Duty>>,
    /// How long it may take from then on.
    whole: Option<(Span, Traced)>,
}

impl Hearing {
    /// Takes a place within `span`, and listens from then on, for as long as `whole` says.
    pub(in crate::dispatch::pair) fn join(
        &mut self,
        place: Opening<Claim>,
        span: Span,
        whole: Span,
        (joining, hearing): (Traced, Traced),
    ) {
        self.claim = None;
        self.joining = Some(Leg::new(place, span, joining));
        self.whole = Some((whole, hearing));
    }

    /// Listens no longer than this from now on.
    pub(in crate::dispatch::pair) fn within(&mut self, span: Span) {
        if let Some(first) = &mut self.first {
            first.within(span);
        }
    }

    /// The prefill engine has answered.
    pub(in crate::dispatch::pair) fn prefilled(&self, answer: &Result<Bytes, RouteError>) {
        if let Some(duty) = &self.duty {
            duty.prefilled(answer);
        }
    }

    /// Neither engine has the request any more.
    pub(in crate::dispatch::pair) fn settle(&self) {
        if let Some(duty) = &self.duty {
            duty.settle();
        }
    }

    /// The place, where more is to be heard.
    pub(in crate::dispatch::pair) fn take(&mut self) -> Option<Claim> {
        self.claim.take()
    }

    pub(in crate::dispatch::pair) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Some(Poll::Ready(joined)) = self.joining.as_mut().map(|leg| leg.poll(cx)) {
            self.joining = None;
            return Poll::Ready(Event::Joined(joined.map(|claim| self.listen(claim))));
        }
        if let Some(Poll::Ready(heard)) = self.first.as_mut().map(|leg| leg.poll(cx)) {
            self.first = None;
            let told = heard.map(|(claim, part)| {
                self.claim = Some(claim);
                part
            });
            return Poll::Ready(Event::Heard(told));
        }
        Poll::Pending
    }

    fn listen(&mut self, mut claim: Claim) {
        self.duty = Some(Arc::clone(claim.duty()));
        let first: Opening<_> = Box::pin(async move {
            let part = claim.part().await?;
            Ok((claim, part))
        });
        let (whole, traced) = self.whole.take().expect("whoever joins says how long");
        self.first = Some(Leg::new(first, whole, traced));
    }
}
