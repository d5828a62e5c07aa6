//! Answers by text of which nothing is shown before their end: where an engine breaks one, another is asked for all of it.

use std::{collections::VecDeque, future::poll_fn, sync::Arc};

use gateway_core::Timestamp;
use gateway_proto::{
    error::ApiError,
    ir::{Event, Request},
};
use http::StatusCode;

use super::by_text::{Begun, TextEvents, begin};
use crate::{ErrorKind, Leg, Resumption, RouteError, RouteRequest, Router};

/// A request that may be sent once more.
pub(super) struct Again {
    request: RouteRequest,
    began: Timestamp,
}

impl Again {
    pub(super) fn new(request: &RouteRequest, router: &Router) -> Self {
        router.earn_migration();
        Self {
            request: request.clone(),
            began: router.clock().now(),
        }
    }

    /// All of `first`, or where that breaks all of another answer. Where nobody else begins one, the first error stands.
    pub(super) async fn whole(
        self,
        first: &mut Begun,
        router: &Router,
        asked: &Request,
    ) -> Result<VecDeque<Event>, RouteError> {
        let events = all(&mut first.events).await;
        let Some(cause) = events.iter().find_map(broken_by) else {
            return Ok(events);
        };
        if !router.takes_up(&self.request.view.model) {
            return Ok(events);
        }
        let request = self.elsewhere(&first.endpoint, cause);
        let Ok(mut second) = begin(router, request, asked).await else {
            return Ok(events);
        };
        let events = all(&mut second.events).await;
        *first = second;
        Ok(events)
    }

    fn elsewhere(self, failed: &Arc<str>, cause: ErrorKind) -> RouteRequest {
        let mut request = self.request;
        request.hints.avoid.push(Arc::clone(failed));
        request.leg = Leg {
            began: Some(self.began),
            resumes: Some(Resumption {
                number: 1,
                cause,
                deaths: u32::from(cause == ErrorKind::Broken),
                lost_at: None,
                recomputed_tokens: request.view.prompt_size.tokens,
            }),
            ..request.leg
        };
        request
    }
}

async fn all(events: &mut TextEvents) -> VecDeque<Event> {
    let mut all = VecDeque::new();
    while poll_fn(|cx| events.poll(cx, &mut all)).await {}
    all
}

/// What an engine did to an answer that it broke; what it refuses as the caller's own error is none of that.
fn broken_by(event: &Event) -> Option<ErrorKind> {
    let Event::Failed(error) = event else {
        return None;
    };
    let ApiError { status, .. } = **error;
    let is_late = status == StatusCode::GATEWAY_TIMEOUT.as_u16();
    match status {
        _ if is_late => Some(ErrorKind::Timeout),
        500.. => Some(ErrorKind::Broken),
        _ => None,
    }
}
