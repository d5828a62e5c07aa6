//! Event streams.

use bytes::Bytes;

use crate::ir::Usage;
use crate::sse::{Decoder, Encoder, Event, Limits, Relay, SseError, Terminal};

/// Chunk sizes that are tried against the whole.
const SIZES: [usize; 5] = [1, 2, 3, 7, 64];

/// Decoder and relay give the same whatever the split; the relay forwards the input's own bytes; what is encoded is
/// decoded as it was.
pub fn sse(data: &[u8]) {
    for event_bytes in [64, 1 << 16] {
        let limits = Limits { event_bytes };
        let (events, relayed) = (
            decode(data, usize::MAX, limits),
            relay(data, usize::MAX, limits),
        );
        for size in SIZES {
            assert_eq!(
                decode(data, size, limits),
                events,
                "decoder, chunks of {size}"
            );
            assert_eq!(
                relay(data, size, limits),
                relayed,
                "relay, chunks of {size}"
            );
        }
        check_prefix(data, &relayed.0);
        check_encoder(events.iter().flatten());
    }
}

fn decode(data: &[u8], size: usize, limits: Limits) -> Vec<Result<Event, SseError>> {
    let mut decoder = Decoder::new(limits);
    let mut events = Vec::new();
    for chunk in data.chunks(size) {
        decoder.feed(chunk);
        while let Some(step) = decoder.next_event().transpose() {
            events.push(step);
        }
    }
    events
}

type Relayed = (Vec<u8>, Option<Terminal>, Option<Usage>, bool, bool);

fn relay(data: &[u8], size: usize, limits: Limits) -> Relayed {
    let mut relay = Relay::new(limits);
    let (mut out, mut terminal) = (Vec::new(), None);
    for chunk in data.chunks(size) {
        let step = relay.push(Bytes::copy_from_slice(chunk));
        out.extend_from_slice(&step.forward);
        terminal = terminal.or(step.terminal);
    }
    let step = relay.finish();
    out.extend_from_slice(&step.forward);
    let terminal = terminal.or(step.terminal);
    (
        out,
        terminal,
        relay.usage(),
        relay.is_finished(),
        relay.has_content(),
    )
}

/// All of the output is input, but for the line ends that complete a last `[DONE]`.
fn check_prefix(data: &[u8], out: &[u8]) {
    let kept = out.len().min(data.len());
    assert_eq!(&out[..kept], &data[..kept]);
    assert!(out[kept..].iter().all(|b| *b == b'\n'));
}

fn check_encoder<'a>(events: impl Iterator<Item = &'a Event>) {
    for event in events {
        let mut encoder = Encoder::new();
        match &event.event {
            Some(name) => encoder.event(name, &event.data),
            None => encoder.data(&event.data),
        }
        let mut decoder = Decoder::new(Limits::default());
        decoder.feed(&encoder.take());
        let again = decoder.next_event().expect("small").expect("an event");
        assert_eq!(
            (again.event, again.data),
            (event.event.clone(), event.data.clone())
        );
    }
}
