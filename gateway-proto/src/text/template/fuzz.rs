//! Any source, over a conversation with everything in it: an answer or an error, never a panic.

use super::python::loads;
use super::{LocalTime, SpecialTokens, Template};
use crate::openai::chat;

const CONVERSATION: &[u8] = br#"{"model": "m", "messages": [
    {"role": "system", "content": "s"},
    {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "x"}}]},
    {"role": "assistant", "content": null, "reasoning_content": "r", "tool_calls": [
        {"id": "call00001", "type": "function", "function": {"name": "f", "arguments": "{\"items\": [1, 1e300, {}]}"}}]},
    {"role": "tool", "tool_call_id": "call00001", "content": ""}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}"#;

/// Compiles the bytes as a template and renders with it; reads them as JSON too.
pub fn template(data: &[u8]) {
    let source = String::from_utf8_lossy(data);
    if let Some(value) = loads(&source) {
        let printed = value.to_string();
        assert!(value.as_str().is_none_or(|text| text == printed));
    }
    let Ok(template) = Template::compile(&source, SpecialTokens::default()) else {
        return;
    };
    let mut request = chat::decode_request(CONVERSATION).expect("the conversation is well formed");
    let now = LocalTime::from_unix(0, 0);
    let plain = template.render(&request, now);
    assert_eq!(plain.ok(), template.render(&request, now).ok());
    request.template.continue_final_message = true;
    if let Ok(prompt) = template.render(&request, now) {
        assert!(!prompt.contains("CONTINUE_FINAL_MESSAGE_TAG "));
    }
}
