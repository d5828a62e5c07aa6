//! How a message ends: `stop_reason`, and what it cost. The same for streams and whole messages.

use crate::ir::{Finish, Head, StopCause, Usage};
use crate::json;

/// Why a choice ended, as far as it is known.
#[derive(Clone, Copy, Default)]
pub(super) struct Ending<'a> {
    pub(super) finish: Option<&'a Finish>,
    pub(super) stop: Option<&'a StopCause>,
    pub(super) violation: Option<&'a str>,
    /// Whether tools were called.
    pub(super) called: bool,
}

impl Ending<'_> {
    /// Anthropic's word. Calls of a choice that ended by itself are to be answered whatever the engine calls that; what
    /// an engine gave up may be sent again to be continued, which is what `pause_turn` says.
    fn reason(&self) -> &str {
        match (self.finish, self.stop) {
            (Some(Finish::Length), _) => "max_tokens",
            (Some(Finish::ContentFilter), _) => "refusal",
            (Some(Finish::Abort | Finish::Error), _) => "pause_turn",
            (Some(Finish::Other(word)), _) if is_reason(word) => word,
            (_, Some(StopCause::Text(_))) => "stop_sequence",
            (Some(Finish::ToolCalls), _) => "tool_use",
            _ if self.called => "tool_use",
            _ => "end_turn",
        }
    }

    /// Appends `"stop_reason":..,"stop_sequence":..`, and `stop_details` where the answer lacks what was asked for.
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        let reason = self.reason();
        out.extend_from_slice(br#""stop_reason":"#);
        json::push_str(out, reason);
        out.extend_from_slice(br#","stop_sequence":"#);
        match self.stop {
            Some(StopCause::Text(text)) if reason == "stop_sequence" => json::push_str(out, text),
            _ => out.extend_from_slice(b"null"),
        }
        if let Some(violation) = self.violation {
            out.extend_from_slice(br#","stop_details":{"type":"format_violation","explanation":"#);
            json::push_str(out, violation);
            out.push(b'}');
        }
    }
}

fn is_reason(word: &str) -> bool {
    matches!(
        word,
        "pause_turn" | "refusal" | "model_context_window_exceeded"
    )
}

/// Appends the `usage` object. Anthropic counts apart what OpenAI counts together: `input_tokens` are those that were
/// not in the cache. Who fills the cache is not told, so nothing counts as its creation.
pub(super) fn push_usage(out: &mut Vec<u8>, head: &Head, usage: Option<&Usage>) {
    let usage = usage.copied().unwrap_or_default();
    let prompt_tokens = match usage.prompt_tokens {
        0 => head.prompt_tokens.unwrap_or(0),
        counted => counted,
    };
    let cached = usage.cached_tokens.unwrap_or(0).min(prompt_tokens);
    out.extend_from_slice(br#"{"input_tokens":"#);
    json::push_u64(out, prompt_tokens - cached);
    out.extend_from_slice(br#","cache_creation_input_tokens":0,"cache_read_input_tokens":"#);
    json::push_u64(out, cached);
    out.extend_from_slice(br#","output_tokens":"#);
    json::push_u64(out, usage.completion_tokens);
    if let Some(thinking) = usage.reasoning_tokens {
        out.extend_from_slice(br#","output_tokens_details":{"thinking_tokens":"#);
        json::push_u64(out, thinking);
        out.push(b'}');
    }
    out.push(b'}');
}
