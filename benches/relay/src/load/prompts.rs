//! The requests: OpenAI chat bodies of a given size.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::KEY;
use crate::engine::MODEL;
use crate::stencil::{SERIAL, Stencil};

/// Different long prefixes, taken in turn.
const PREFIXES: u64 = 64;

/// The rest of the body after the prompt; the stream flag last.
const ENDINGS: [&str; 2] = [
    r#"],"max_tokens":128,"temperature":0,"stream":false}"#,
    r#"],"max_tokens":128,"temperature":0,"stream_options":{"include_usage":true},"stream":true}"#,
];

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole reply; long prefixes in turn, a different last word each.
    Whole,
    /// A streamed reply, prompts as for `Whole`.
    Stream,
    /// A whole reply; every prompt differs from its first word on.
    Distinct,
}

/// The source of serial numbers, one for the whole run so that no two requests are alike.
#[derive(Debug, Clone, Default)]
pub(crate) struct Serials(Arc<AtomicU64>);

impl Serials {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// Requests of one kind and size.
#[derive(Debug)]
pub(crate) struct Prompts {
    requests: Vec<Stencil>,
    serials: Serials,
}

impl Prompts {
    /// Prepares requests whose bodies have `body_len` bytes.
    pub(crate) fn new(kind: Kind, body_len: usize, serials: &Serials) -> Arc<Self> {
        let count = if kind == Kind::Distinct { 1 } else { PREFIXES };
        let requests = (0..count)
            .map(|prefix| Stencil::cut(request(kind, body_len, prefix)))
            .collect();
        Arc::new(Self {
            requests,
            serials: serials.clone(),
        })
    }

    /// Replaces `out` by the next request and returns its serial number.
    pub(crate) fn write_next(&self, out: &mut Vec<u8>) -> u64 {
        let serial = self.serials.next();
        let turn = serial % u64::try_from(self.requests.len()).expect("at most 64");
        out.clear();
        self.requests[usize::try_from(turn).expect("below 64")].stamp(out, serial, 0, 0);
        serial
    }
}

fn request(kind: Kind, body_len: usize, prefix: u64) -> String {
    let first = if kind == Kind::Distinct { SERIAL } else { "" };
    let ending = ENDINGS[usize::from(kind == Kind::Stream)];
    let body = |text: &str| {
        format!(
            r##"{{"model":"{MODEL}","messages":[{{"role":"system","content":"{first}{text}"}},{{"role":"user","content":"Answer this one: #{SERIAL}#"}}{ending}"##
        )
    };
    let body = body(&words(body_len.saturating_sub(body("").len()), prefix));
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: bench.local\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/json\r\naccept: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// `len` bytes of made-up words, different for every `seed` from the first word on.
fn words(len: usize, seed: u64) -> String {
    let mut state = seed;
    let mut text = String::with_capacity(len + 16);
    while text.len() < len {
        // The constants of splitmix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        for shift in (0..=24).step_by(8).take(3 + usize::from(mixed & 1 == 1)) {
            text.push(char::from(
                b'a' + u8::try_from((mixed >> (32 + shift)) % 26).expect("below 26"),
            ));
        }
        text.push(' ');
    }
    text.truncate(len);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next_body(prompts: &Prompts) -> String {
        let mut out = Vec::new();
        prompts.write_next(&mut out);
        let text = String::from_utf8(out).expect("text");
        text.split_once("\r\n\r\n").expect("a head").1.to_owned()
    }

    #[test]
    fn bodies_are_json_of_the_size_asked_for() {
        for (kind, len) in [
            (Kind::Whole, 1024),
            (Kind::Stream, 1024),
            (Kind::Distinct, 20_480),
        ] {
            let body = next_body(&Prompts::new(kind, len, &Serials::default()));
            assert_eq!(body.len(), len);
            let value: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            assert_eq!(value["stream"], kind == Kind::Stream);
        }
    }

    #[test]
    fn prefixes_repeat_after_64_and_distinct_prompts_never() {
        let prompts = Prompts::new(Kind::Whole, 1024, &Serials::default());
        let bodies: Vec<_> = (0..65).map(|_| next_body(&prompts)).collect();
        let prefix = |body: &str| body[..700].to_owned();
        assert_eq!(prefix(&bodies[0]), prefix(&bodies[64]));
        assert_ne!(bodies[0], bodies[64]);
        assert_ne!(prefix(&bodies[0]), prefix(&bodies[1]));

        let distinct = Prompts::new(Kind::Distinct, 1024, &Serials::default());
        assert_ne!(next_body(&distinct)[..100], next_body(&distinct)[..100]);
    }
}
