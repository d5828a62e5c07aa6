//! Which of the engine's few answers a request wants.

use memchr::{memmem, memrchr};

use crate::stencil::{SERIAL_DIGITS, read_digits};

/// The answer a request line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// `POST /v1/chat/completions`.
    Chat,
    /// `GET /v1/models`.
    Models,
    /// `GET /health`.
    Health,
    /// `GET /version`.
    Version,
    /// `GET /metrics`.
    Metrics,
    /// Anything else: 404.
    Unknown,
}

impl Route {
    /// Reads a request line.
    pub(super) fn of(line: &[u8]) -> Self {
        let mut words = line.split(|&byte| byte == b' ');
        match (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        ) {
            (b"POST", b"/v1/chat/completions") => Self::Chat,
            (b"GET", b"/v1/models") => Self::Models,
            (b"GET", b"/health") => Self::Health,
            (b"GET", b"/version") => Self::Version,
            (b"GET", b"/metrics") => Self::Metrics,
            _ => Self::Unknown,
        }
    }
}

/// What the engine reads of a chat body: it scans instead of parsing, to stay cheap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ask {
    /// The number after the last `#`; 0 for a body of somebody else's making.
    pub(super) serial: u64,
    /// Whether the reply is to be streamed.
    pub(super) stream: bool,
}

impl Ask {
    /// Scans a chat body.
    pub(super) fn of(body: &[u8]) -> Self {
        let marks = [&b"\"stream\":true"[..], b"\"stream\": true"];
        Self {
            serial: serial(body).unwrap_or(0),
            stream: marks.iter().any(|mark| memmem::find(body, mark).is_some()),
        }
    }
}

fn serial(body: &[u8]) -> Option<u64> {
    let end = memrchr(b'#', body)?;
    let start = end.checked_sub(SERIAL_DIGITS)?;
    read_digits(&body[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_request_lines() {
        assert_eq!(
            Route::of(b"POST /v1/chat/completions HTTP/1.1"),
            Route::Chat
        );
        assert_eq!(Route::of(b"GET /metrics HTTP/1.1"), Route::Metrics);
        assert_eq!(
            Route::of(b"GET /v1/chat/completions HTTP/1.1"),
            Route::Unknown
        );
        assert_eq!(Route::of(b""), Route::Unknown);
    }

    #[test]
    fn reads_serial_and_stream_wherever_they_stand() {
        let ask = Ask::of(
            br##"{"stream": true,"messages":[{"content":"#000000000009# x #000000000012#"}]}"##,
        );
        assert_eq!(
            ask,
            Ask {
                serial: 12,
                stream: true
            }
        );
        assert_eq!(
            Ask::of(b"#7#"),
            Ask {
                serial: 0,
                stream: false
            }
        );
    }
}
