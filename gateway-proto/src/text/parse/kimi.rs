//! `<|tool_call_begin|>functions.name:0<|tool_call_argument_begin|>{..}<|tool_call_end|>`: Kimi K2.
//!
//! What stands before the arguments is the call's id, which names the function. A valid call inside open reasoning ends the
//! reasoning, as vLLM's `kimi_k2` reasoning parser has it.

use super::ahead::{Ahead, Seen};
use super::section::{Format, Head};

/// The longest id, in bytes.
const LONGEST_ID: usize = 256;

const BEGIN: &str = "<|tool_calls_section_begin|>";
const END: &str = "<|tool_calls_section_end|>";
/// The model writes these now and then.
const ONE_BEGIN: &str = "<|tool_call_section_begin|>";
const ONE_END: &str = "<|tool_call_section_end|>";
const CALL: &str = "<|tool_call_begin|>";
const CALL_END: &str = "<|tool_call_end|>";

/// Kimi K2.
pub(super) static KIMI_K2: Format = Format {
    begins: &[BEGIN, ONE_BEGIN],
    ends: &[END, ONE_END],
    call: CALL,
    call_end: CALL_END,
    head,
    fence: &[],
    outside: &[BEGIN, ONE_BEGIN, CALL],
    inside: &[BEGIN, ONE_BEGIN, CALL, END, ONE_END],
    unclosed: &[BEGIN, ONE_BEGIN, CALL, END, ONE_END, CALL_END],
    ends_reasoning: true,
};

fn head<'a>(ahead: &mut Ahead<'a>) -> Seen<Head<'a>> {
    ahead.space();
    let id = ahead.word(LONGEST_ID)?;
    ahead.space();
    ahead.literal("<|tool_call_argument_begin|>")?;
    Ok(Head {
        id: Some(id),
        name: function(id),
    })
}

/// `functions.name:0` names `name`. What has another form is the name itself.
fn function(id: &str) -> &str {
    let name = id.strip_prefix("functions.").unwrap_or(id);
    let name = match name.rsplit_once(':') {
        Some((name, number)) if number.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => name,
    };
    if name.is_empty() { id } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_their_function() {
        for (id, name) in [
            ("functions.get_weather:0", "get_weather"),
            ("functions.mcp.files.read:12", "mcp.files.read"),
            ("get_weather:3", "get_weather"),
            ("get_weather", "get_weather"),
            ("a:b", "a:b"),
            (":0", ":0"),
        ] {
            assert_eq!(function(id), name);
        }
    }
}
