//! The error bodies of engines, brought to one shape.

use std::borrow::Cow;

use serde_json::Value;

use super::{ApiError, sanitise};

/// The longest `type`, `code` or `param` of an engine that is passed on, in bytes.
const WORD_BYTES: usize = 96;

/// The largest body that is parsed, in bytes; no error needs more.
const BODY_BYTES: usize = 64 * 1024;

/// What an engine said when it refused or failed, cleaned for the eyes of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFault {
    /// The fault as a client may see it.
    pub error: ApiError,
    /// Which of the engines' shapes the body had.
    pub shape: FaultShape,
    /// The engine's own word for the kind of error, as `BadRequestError`, `overloaded`.
    pub engine_kind: Option<String>,
}

/// The shapes that error bodies come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultShape {
    /// `{"error":{"message",...}}`: OpenAI, vLLM, llama.cpp.
    Nested,
    /// `{"error":"..."}`: vLLM's middleware.
    Word,
    /// `{"error":"...","error_type":"..."}`: TGI, MindIE.
    Typed,
    /// `{"object":"error","message",...}`: SGLang, older vLLM.
    Flat,
    /// `{"detail":...}`: FastAPI's own.
    Detail,
    /// JSON of another form, or no JSON.
    Unknown,
    /// No body at all.
    Empty,
}

/// The parts that any of the shapes may give.
#[derive(Default)]
struct Parts<'a> {
    message: Option<&'a str>,
    kind: Option<&'a str>,
    param: Option<&'a str>,
    code: Option<&'a Value>,
}

impl EngineFault {
    /// Reads an error body that came under `status`.
    ///
    /// A `status` below 400 (an error event within a stream under 200) is replaced by the body's own code where that is
    /// a sane HTTP status, else by 502. Never fails: what cannot be read becomes a plain sentence.
    #[must_use]
    pub fn parse(status: u16, body: &[u8]) -> Self {
        let text = body.trim_ascii();
        if text.is_empty() {
            return Self::build(status, FaultShape::Empty, &Parts::default());
        }
        if text.len() > BODY_BYTES {
            return Self::build(status, FaultShape::Unknown, &Parts::default());
        }
        match serde_json::from_slice::<Value>(text) {
            Ok(value) => {
                let (shape, parts) = dissect(&value);
                Self::build(status, shape, &parts)
            }
            // Proxies and load balancers answer in HTML: nothing of that helps the client.
            Err(_) if text.starts_with(b"<") => {
                Self::build(status, FaultShape::Unknown, &Parts::default())
            }
            Err(_) => {
                let plain =
                    String::from_utf8_lossy(&text[..text.len().min(sanitise::MESSAGE_BYTES)]);
                let parts = Parts {
                    message: Some(&plain),
                    ..Parts::default()
                };
                Self::build(status, FaultShape::Unknown, &parts)
            }
        }
    }

    fn build(status: u16, shape: FaultShape, parts: &Parts<'_>) -> Self {
        let status = effective_status(status, parts.code);
        let message = parts
            .message
            .map(sanitise::message)
            .filter(|m| !m.is_empty());
        let mut error = ApiError::new(
            status,
            message.unwrap_or_else(|| fallback(status).to_owned()),
        );
        error.code = parts
            .code
            .and_then(Value::as_str)
            .and_then(word)
            .map(Cow::Owned);
        error.param = parts.param.and_then(word);
        Self {
            error,
            shape,
            engine_kind: parts.kind.and_then(word),
        }
    }
}

fn dissect(value: &Value) -> (FaultShape, Parts<'_>) {
    match value.get("error") {
        Some(Value::Object(_)) => (FaultShape::Nested, parts_of(&value["error"])),
        Some(Value::String(message)) => {
            let kind = value.get("error_type").and_then(Value::as_str);
            let shape = if kind.is_some() {
                FaultShape::Typed
            } else {
                FaultShape::Word
            };
            (
                shape,
                Parts {
                    message: Some(message),
                    kind,
                    ..Parts::default()
                },
            )
        }
        _ if value.get("object").and_then(Value::as_str) == Some("error") => {
            (FaultShape::Flat, parts_of(value))
        }
        _ => match value.get("detail") {
            Some(detail) => (
                FaultShape::Detail,
                Parts {
                    message: detail_message(detail),
                    ..Parts::default()
                },
            ),
            None => (FaultShape::Unknown, parts_of(value)),
        },
    }
}

fn parts_of(object: &Value) -> Parts<'_> {
    Parts {
        message: object.get("message").and_then(Value::as_str),
        kind: object.get("type").and_then(Value::as_str),
        param: object.get("param").and_then(Value::as_str),
        code: object.get("code"),
    }
}

/// FastAPI's detail is a sentence, or a list of findings each with a `msg`.
fn detail_message(detail: &Value) -> Option<&str> {
    detail
        .as_str()
        .or_else(|| detail.get(0)?.get("msg")?.as_str())
}

fn effective_status(status: u16, code: Option<&Value>) -> u16 {
    if (400..=599).contains(&status) {
        return status;
    }
    let named = code
        .and_then(Value::as_u64)
        .filter(|code| (400..=599).contains(code));
    named
        .and_then(|code| u16::try_from(code).ok())
        .unwrap_or(502)
}

/// A short identifier, or nothing: a stack trace has no place in a code.
fn word(text: &str) -> Option<String> {
    let fits = !text.is_empty() && text.len() <= WORD_BYTES;
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b" _-.[]:".contains(&b));
    (fits && plain).then(|| text.to_owned())
}

fn fallback(status: u16) -> &'static str {
    match status {
        400..=499 => "The engine refused the request and gave no reason.",
        503 => "The engine cannot take requests at the moment.",
        _ => "The engine failed while processing the request.",
    }
}
