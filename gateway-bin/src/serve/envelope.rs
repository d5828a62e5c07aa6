//! Whose form an error has.

use bytes::Bytes;
use gateway_proto::{anthropic, error::ApiError};

/// The form of errors that a route's callers read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Envelope {
    /// OpenAI's: everywhere else.
    OpenAi,
    /// Anthropic's: at `/v1/messages` and below.
    Anthropic,
}

impl Envelope {
    /// The form for callers of `path`, whether there is such a route or not.
    pub(super) fn of(path: &str) -> Self {
        match path.strip_prefix("/v1/messages") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Self::Anthropic,
            _ => Self::OpenAi,
        }
    }

    /// The body that tells of `error`.
    pub(super) fn body(self, error: &ApiError, request_id: &str) -> Bytes {
        match self {
            Self::OpenAi => error.to_json(Some(request_id)),
            Self::Anthropic => anthropic::error_body(error, Some(request_id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_tells_who_reads() {
        for (path, envelope) in [
            ("/v1/messages", Envelope::Anthropic),
            ("/v1/messages/count_tokens", Envelope::Anthropic),
            ("/v1/messages/batches", Envelope::Anthropic),
            ("/v1/messagesx", Envelope::OpenAi),
            ("/v1/chat/completions", Envelope::OpenAi),
            ("/", Envelope::OpenAi),
        ] {
            assert_eq!(Envelope::of(path), envelope, "{path}");
        }
    }
}
