//! The engine's replies, cut once.

use crate::engine::MODEL;
use crate::stencil::{INDEX, NANOS, SERIAL, Stencil};

/// Content chunks of a streamed reply.
pub(crate) const CHUNKS: u64 = 128;

/// The text after the serial number in a whole reply; makes it about 0.6 KB.
pub(crate) const FILLER: &str = "The quick relay hands the whole reply on as it came, neither a byte more nor a byte \
    less, and the one who asked cannot tell that anything stood between them and the engine that answered at once, \
    which is all that a relay is for, here and elsewhere.";

/// A set of reply stencils.
#[derive(Debug)]
pub(super) struct Replies {
    /// Head and body of a whole reply.
    pub(super) whole: Stencil,
    /// Head of a streamed reply.
    pub(super) stream_head: Stencil,
    /// One content event, framed as a chunk of the transfer coding.
    pub(super) chunk: Stencil,
    /// Finish event, usage event, `[DONE]` and the last chunk.
    pub(super) stream_end: Stencil,
}

impl Replies {
    /// Cuts all stencils.
    pub(super) fn cut() -> Self {
        let stream_head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
            x-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n";
        let end = [finish(), usage(), "data: [DONE]\n\n".to_owned()]
            .map(|event| framed(&event))
            .concat();
        Self {
            whole: Stencil::cut(with_head("200 OK", "application/json", &whole())),
            stream_head: Stencil::cut(stream_head.to_owned()),
            chunk: Stencil::cut(framed(&content())),
            stream_end: Stencil::cut(end + "0\r\n\r\n"),
        }
    }
}

/// A reply with `body` and its length.
pub(super) fn with_head(status: &str, content_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn framed(event: &str) -> String {
    format!("{:x}\r\n{event}\r\n", event.len())
}

fn whole() -> String {
    format!(
        r##"{{"id":"chatcmpl-{SERIAL}","object":"chat.completion","created":1760000000,"model":"{MODEL}","choices":[{{"index":0,"message":{{"role":"assistant","content":"#{SERIAL}# {FILLER}","refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":250,"total_tokens":314,"completion_tokens":64,"prompt_tokens_details":null}}}}"##
    )
}

fn event(rest: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-{SERIAL}\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"{MODEL}\",{rest}}}\n\n"
    )
}

fn content() -> String {
    event(&format!(
        r##""choices":[{{"index":0,"delta":{{"content":"#{SERIAL} {INDEX} {NANOS}#"}},"finish_reason":null}}]"##
    ))
}

fn finish() -> String {
    event(
        r#""choices":[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"length"}]"#,
    )
}

fn usage() -> String {
    event(&format!(
        r#""choices":[],"usage":{{"prompt_tokens":250,"total_tokens":{},"completion_tokens":{CHUNKS}}}"#,
        250 + CHUNKS
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamped(stencil: &Stencil) -> String {
        let mut out = Vec::new();
        stencil.stamp(&mut out, 5, 1, 9);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn replies_are_json_of_the_sizes_promised() {
        let replies = Replies::cut();
        let whole = stamped(&replies.whole);
        let (_, body) = whole.split_once("\r\n\r\n").expect("a head");
        assert!((550..=650).contains(&body.len()), "{}", body.len());
        let value: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(
            value["choices"][0]["message"]["content"],
            format!("#000000000005# {FILLER}")
        );

        let chunk = stamped(&replies.chunk);
        assert!((190..=220).contains(&chunk.len()), "{}", chunk.len());
        let data = chunk.split_once("data: ").expect("an event").1.trim_end();
        let value: serde_json::Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(
            value["choices"][0]["delta"]["content"],
            "#000000000005 0001 0000000000000009#"
        );
    }
}
