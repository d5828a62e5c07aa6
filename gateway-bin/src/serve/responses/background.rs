//! Making responses in the background: no connection's end is theirs.

use std::sync::Arc;

use gateway_proto::{dialect::StreamEncoder as _, error::ApiError, ir::Event, responses::Status};
use gateway_router::ReplyBody;
use http::Response;
use tracing::Instrument as _;

use super::{
    fault::{no_response, refused, stored},
    follow,
    job::{End, Seat},
    keep::Keep,
    making::{Making, Ready},
    serve::json,
    writing::Writing,
};
use crate::{
    gate::Gate,
    serve::{answer, error_reply::Refusal},
    stage::Stage,
};

/// Begins to make a response, and tells that it is queued, or its events where the caller `streams`.
///
/// # Errors
/// Where too many are being made, or the store does not take it.
pub(super) async fn start(
    gate: &Arc<Gate>,
    ready: Ready,
    streams: bool,
) -> Result<Response<ReplyBody>, Refusal> {
    let Ready {
        mut stream,
        keep,
        making,
    } = ready;
    let Some(seat) = Seat::take(gate, &keep.owner, &stream.response().id) else {
        gate.metrics.responses.refused();
        return Err(full());
    };
    let mut lines = Vec::new();
    stream.queue(&mut lines);
    seat.job.push(&lines);
    // Before anything is kept or begun: a refusal must not leave a response which nobody knows of.
    let reply = if streams {
        follow::reply(Arc::clone(&seat.job), None).map_err(|_| refused(too_large()))?
    } else {
        json(stream.response().to_json())
    };
    let begun = keep.begin(stream.response()).await;
    begun.map_err(|error| stored(error, no_response))?;
    let span = tracing::debug_span!("background", id = stream.response().id);
    let writing = Writing::new(stream, None);
    // The worker that runs this waits for it when it ends.
    tokio::spawn(run(seat, writing, keep, making).instrument(span));
    Ok(reply)
}

/// Its first events alone, which tell the request back, are more than is held.
fn too_large() -> ApiError {
    let message = "The request is too large for its events to be held. Send it without 'stream'.";
    ApiError::invalid_request(message)
        .with_code("events_not_held")
        .with_param("stream")
}

fn full() -> Refusal {
    let message = "Too many responses are being made in the background. Try again later.";
    refused(ApiError::rate_limited(message).with_code("background_limit"))
}

async fn run(seat: Seat, mut writing: Writing, keep: Keep, making: Making) {
    let (gate, job) = (&seat.gate, &seat.job);
    let mut last = Vec::new();
    tokio::select! {
        biased;
        () = job.called_off() => writing.cancel(),
        () = gate.stages.reached(Stage::Cut) => writing.fail(&stopping(), &mut last),
        end = write(&seat, &mut writing, &keep, making) => last = end,
    }
    keep.change(writing.response()).await;
    job.push(&last);
    job.end(match writing.response().status {
        Status::Completed | Status::Incomplete(_) => End::Whole,
        _ => End::Broken,
    });
}

fn stopping() -> ApiError {
    ApiError::overloaded("The gateway stopped before the response was whole.")
}

/// Makes it; what is given back is its last events, which go out once it is kept.
async fn write(seat: &Seat, writing: &mut Writing, keep: &Keep, making: Making) -> Vec<u8> {
    let mut lines = Vec::new();
    writing.begin(&mut lines);
    seat.job.push(&lines);
    keep.change(writing.response()).await;
    let mut lines = Vec::new();
    let mut events = match making.ask(&seat.gate).await {
        Ok(reply) => reply.events,
        Err(error) => {
            writing.fail(&Refusal::from(error).api, &mut lines);
            return lines;
        }
    };
    while let Some(event) = answer::next(&mut events).await {
        if let Event::Failed(error) = &event {
            writing.fail(error, &mut lines);
            return lines;
        }
        writing.event(&event, &mut lines);
        seat.job.push(&lines);
        lines.clear();
    }
    writing.finish(&mut lines);
    lines
}
