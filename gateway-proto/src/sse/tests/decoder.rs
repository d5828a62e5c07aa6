use proptest::prelude::*;

use super::transcripts;
use crate::sse::{Decoder, Encoder, Event, Limits, SseError};

fn decode(chunks: &[&[u8]], limits: Limits) -> Vec<Result<Event, SseError>> {
    let mut decoder = Decoder::new(limits);
    let mut out = Vec::new();
    for chunk in chunks {
        decoder.feed(chunk);
        while let Some(step) = decoder.next_event().transpose() {
            out.push(step);
        }
    }
    out
}

fn whole(bytes: &[u8]) -> Vec<Event> {
    decode(&[bytes], Limits::default())
        .into_iter()
        .map(|event| event.expect("within the limit"))
        .collect()
}

fn data(bytes: &[u8]) -> Vec<String> {
    whole(bytes).into_iter().map(|event| event.data).collect()
}

#[test]
fn fields_of_an_event() {
    let events = whole(b": hello\nevent: delta\nid: 7\nretry: 1500\nother: x\ndata:{\"a\":1}\n\n");
    let expected = Event {
        event: Some("delta".to_owned()),
        data: "{\"a\":1}".to_owned(),
        id: Some("7".to_owned()),
        retry_ms: Some(1500),
    };
    assert_eq!(events, [expected]);
}

#[test]
fn line_ends_of_every_kind() {
    assert_eq!(
        data(b"data: a\r\n\r\ndata: b\n\ndata: c\r\rdata: d\r\n\n"),
        ["a", "b", "c", "d"]
    );
}

#[test]
fn data_rules_of_the_format() {
    assert_eq!(data(b"data: a\ndata:b\ndata:  c\ndata\n\n"), ["a\nb\n c\n"]);
    assert_eq!(data(b"data\n\n"), [""]);
    assert_eq!(
        data(b"event: lonely\n\ndata: x\n\n"),
        ["x"],
        "a block without data is no event"
    );
    assert_eq!(data(b"data: cut off"), Vec::<String>::new());
    assert_eq!(
        data(b"\xef\xbb\xbfdata: x\n\n"),
        ["x"],
        "a byte order mark is skipped"
    );
    assert_eq!(data(b"data: \xff\n\n"), ["\u{fffd}"]);
    assert_eq!(
        whole(b"id: a\0b\nretry: 1x\ndata: x\n\n")[0],
        Event {
            data: "x".to_owned(),
            ..Event::default()
        }
    );
}

#[test]
fn an_event_past_the_limit_is_an_error_and_the_end() {
    let limits = Limits { event_bytes: 16 };
    let steps = decode(
        &[b"data: ok\n\ndata: 0123456789abcdef\n\ndata: ok\n\n"],
        limits,
    );
    assert_eq!(steps.len(), 2);
    assert_eq!(steps[1], Err(SseError::TooLong { limit_bytes: 16 }));
}

#[test]
fn many_short_lines_count_together() {
    let mut decoder = Decoder::new(Limits { event_bytes: 100 });
    decoder.feed(&b"data: x\n".repeat(50));
    assert_eq!(
        decoder.next_event(),
        Err(SseError::TooLong { limit_bytes: 100 })
    );
}

#[test]
fn idle_only_between_events() {
    let mut decoder = Decoder::new(Limits::default());
    assert!(decoder.is_idle());
    decoder.feed(b"data: x\n");
    assert_eq!(decoder.next_event(), Ok(None));
    assert!(!decoder.is_idle());
    decoder.feed(b"\n");
    assert!(decoder.next_event().is_ok_and(|event| event.is_some()));
    assert!(decoder.is_idle());
}

#[test]
fn every_split_of_the_transcripts_gives_the_same_events() {
    for text in transcripts() {
        let bytes = text.as_bytes();
        let expected = decode(&[bytes], Limits::default());
        assert!(expected.len() > 2);
        for at in 0..=bytes.len() {
            let (a, b) = bytes.split_at(at);
            assert_eq!(
                decode(&[a, b], Limits::default()),
                expected,
                "split at {at}"
            );
        }
        let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(decode(&bytewise, Limits::default()), expected);
    }
}

proptest! {
    #[test]
    fn any_bytes_in_any_split(
        bytes in proptest::collection::vec(prop_oneof![
            Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' '), Just(b'd'), Just(0xefu8), Just(0xbb), Just(0xbf), any::<u8>(),
        ], 0..200),
        prefix in prop_oneof![Just(&b""[..]), Just(&b"data: a"[..]), Just(&b"\xef\xbb\xbfdata:"[..])],
        size in 1usize..9,
        event_bytes in 1usize..64,
    ) {
        let input = [prefix, &bytes].concat();
        let limits = Limits { event_bytes };
        let pieces: Vec<&[u8]> = input.chunks(size).collect();
        prop_assert_eq!(decode(&pieces, limits), decode(&[&input], limits));
    }

    #[test]
    fn what_is_written_is_read_back(name in "[a-z]{0,5}", text in "(?s).{0,40}", note in "(?s).{0,10}") {
        let mut encoder = Encoder::new();
        encoder.comment(&note);
        encoder.event(&name, &text);
        encoder.data(&text);
        let lines = text.replace("\r\n", "\n").replace('\r', "\n");
        let events = whole(&encoder.take());
        prop_assert_eq!(events.len(), 2);
        prop_assert_eq!(events[0].event.as_deref(), Some(name.as_str()));
        prop_assert!(events.iter().all(|event| event.data == lines));
    }
}
