//! Anthropic Messages bodies.

use serde::de::IgnoredAny;

use crate::anthropic::{decode_count, decode_request, error_body};
use crate::error::ApiError;
use crate::ir::Prompt;
use crate::openai::chat as chat_codec;

/// What is accepted is JSON with at least one message and has a chat form that says the same; what is refused gives an
/// error that is JSON.
pub fn messages(data: &[u8]) {
    let _ = decode_count(data);
    match decode_request(data) {
        Ok(request) => {
            assert!(serde_json::from_slice::<IgnoredAny>(data).is_ok());
            let Prompt::Messages(turns) = &request.prompt else {
                panic!("a conversation becomes a conversation")
            };
            assert!(!turns.is_empty());
            let chat = chat_codec::decode_request(&chat_codec::encode_request(&request));
            assert_eq!(chat.expect("a chat request").prompt, request.prompt);
        }
        Err(fault) => {
            let body = error_body(&ApiError::from(fault), None);
            assert!(serde_json::from_slice::<IgnoredAny>(&body).is_ok());
        }
    }
}
