//! The events of a response in the background, from any place on and as they come.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use gateway_proto::{
    error::ApiError,
    responses::{DONE, error_message, push_sse},
};
use gateway_router::ReplyBody;
use http::Response;
use tokio::sync::watch;

use super::{
    fault::refused,
    job::{End, Job, Progress},
};
use crate::serve::{answer, error_reply::Refusal};

/// Where a caller stands in a response's events.
struct Place {
    job: Arc<Job>,
    /// The number of the last event it has.
    after: Option<u64>,
    progress: watch::Receiver<Progress>,
    is_over: bool,
}

/// A stream of the events behind number `after`, and of those to come.
///
/// # Errors
/// Where some of these events are no longer held.
pub(super) fn reply(job: Arc<Job>, after: Option<u64>) -> Result<Response<ReplyBody>, Refusal> {
    if job.log().after(after).is_none() {
        return Err(refused(gone()));
    }
    let place = Place {
        progress: job.progress(),
        job,
        after,
        is_over: false,
    };
    let body = ReplyBody::written(stream::unfold(place, next));
    Ok(answer::respond(body, "text/event-stream"))
}

/// The events of a response can no longer be told.
pub(super) fn gone() -> ApiError {
    let message =
        "The events asked for are no longer held. Retrieve the response without 'stream'.";
    ApiError::invalid_request(message)
        .with_code("events_not_held")
        .with_param("starting_after")
}

async fn next(mut place: Place) -> Option<(Bytes, Place)> {
    while !place.is_over {
        let progress = *place.progress.borrow_and_update();
        let mut out = Vec::new();
        place.take(&mut out);
        if let Some(end) = progress.end.filter(|_| !place.is_over) {
            place.is_over = true;
            if end == End::Whole {
                out.extend_from_slice(DONE);
            }
        }
        if !out.is_empty() {
            return Some((out.into(), place));
        }
        if !place.is_over && place.progress.changed().await.is_err() {
            break;
        }
    }
    None
}

impl Place {
    /// Takes what has come since.
    fn take(&mut self, out: &mut Vec<u8>) {
        let log = self.job.log();
        match log.after(self.after) {
            Some(lines) => {
                lines.for_each(|line| push_sse(line, out));
                let known = log.next_sequence().checked_sub(1);
                self.after = self.after.max(known);
            }
            // This caller is too slow for what is held.
            None => {
                push_sse(&error_message(&gone(), log.next_sequence()), out);
                self.is_over = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn told(job: &Arc<Job>, then: impl FnOnce(&Job)) -> String {
        let reply = reply(Arc::clone(job), None).expect("all is held");
        then(job);
        job.end(End::Whole);
        let body = reply.into_body().collect().await.expect("infallible");
        String::from_utf8(body.to_bytes().to_vec()).expect("text")
    }

    #[tokio::test]
    async fn a_good_end_is_told_and_an_overrun_is_none() {
        let job = Arc::new(Job::new());
        let whole = told(&job, |job| job.push(b"{\"type\":\"a\"}\n")).await;
        assert!(whole.ends_with("data: [DONE]\n\n"), "{whole}");

        let job = Arc::new(Job::new());
        let line = format!("{{\"type\":\"a\",\"x\":\"{}\"}}\n", "x".repeat(1 << 20));
        let overrun = told(&job, |job| (0..9).for_each(|_| job.push(line.as_bytes()))).await;
        assert!(overrun.contains("events_not_held"), "{overrun}");
        assert!(!overrun.contains("[DONE]"), "{overrun}");
    }
}
