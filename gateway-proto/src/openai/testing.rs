//! Access to recorded exchanges.

use crate::sse::{Decoder, Limits};

/// The body that was sent.
pub(super) fn request_body(capture: &str) -> &str {
    let (_, body) = capture
        .split_once("\n> body: ")
        .expect("a capture has a request body");
    body.lines().next().expect("a line")
}

/// The body that came back.
pub(crate) fn reply_body(capture: &str) -> &str {
    let (_, reply) = capture.split_once("\n\n< ").expect("a capture has a reply");
    reply.split_once("\n\n").expect("a capture has a body").1
}

/// The data of the events that came back.
pub(super) fn events(capture: &str) -> Vec<String> {
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(reply_body(capture).as_bytes());
    std::iter::from_fn(|| decoder.next_event().expect("within the limit"))
        .map(|event| event.data)
        .collect()
}
