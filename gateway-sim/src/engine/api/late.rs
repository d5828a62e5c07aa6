//! Streams of requests that wait for another engine before they begin: the headers are sent by then.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use http::Response;
use http_body::Frame;
use http_body_util::StreamBody;

use super::answer::{Dialect, Fate};
use super::job::Job;
use super::stream::Streamer;
use crate::engine::server::reply::{self, Body};
use crate::engine::shell::Shell;
use crate::engine::transfer::Leg;

/// Streams an answer that begins once its leg has met its partner; a failure is an event, for the status is out.
pub(super) fn stream(
    shell: Arc<Shell>,
    leg: Leg,
    mut job: Job,
    dialect: Box<dyn Dialect>,
    fate: Option<Fate>,
) -> Response<Body> {
    let chunks = async move {
        match leg.arrive(&shell, &mut job).await {
            Ok(ticket) => Streamer::new(shell, job, dialect, ticket, fate)
                .into_stream()
                .left_stream(),
            Err(error) => {
                let refusal = dialect.frame(&dialect.failure(&job, &error));
                let end = Bytes::from_static(dialect.closing());
                let events = [refusal, end].into_iter();
                let events = events.filter(|event| !event.is_empty());
                stream::iter(events.map(|event| Ok(Frame::data(event)))).right_stream()
            }
        }
    };
    reply::event_stream(StreamBody::new(chunks.flatten_stream()))
}
