//! Replies as bytes.

/// A whole chat reply.
pub(crate) const ANSWER: &str = r#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":1}}"#;

/// Events of a stream.
pub(crate) const ONE: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one\"}}]}\n\n";
pub(crate) const TWO: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"two\"}}]}\n\n";
pub(crate) const STOP: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
pub(crate) const ABORT: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"abort\"}]}\n\n";
pub(crate) const DONE: &str = "data: [DONE]\n\n";

/// An event that says that the engine failed.
pub(crate) fn error_event(code: u16, message: &str) -> String {
    format!("data: {{\"error\":{{\"message\":\"{message}\",\"type\":\"x\",\"code\":{code}}}}}\n\n")
}

/// A reply with its length.
pub(crate) fn reply(status: u16, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Some Reason\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// The answer in one piece.
pub(crate) fn answer() -> String {
    reply(200, ANSWER)
}

/// The head of a stream in chunks, with the first events.
pub(crate) fn stream(events: &[&str]) -> String {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
                transfer-encoding: chunked\r\n\r\n";
    let chunks: String = events.iter().map(|event| chunk(event)).collect();
    format!("{head}{chunks}")
}

/// One chunk.
pub(crate) fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// The end of a reply in chunks.
pub(crate) const END: &str = "0\r\n\r\n";

/// A stream with its proper end.
pub(crate) fn whole_stream(events: &[&str]) -> String {
    format!("{}{END}", stream(events))
}
