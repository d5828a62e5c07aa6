//! Which family and reasoning style a chat template speaks of.

use super::{Family, ParserSpec, ReasoningStyle, Tags};

/// What a template of a family contains, the more special first: all texts of an entry must be there.
const SIGNS: &[(&[&str], Family)] = &[
    (&["<|channel|>", "<|message|>"], Family::Harmony),
    (&["<|tool_call>"], Family::Gemma),
    (&["<start_function_call>"], Family::Gemma),
    (&["｜DSML｜"], Family::DeepSeekV32),
    (&["<｜tool▁call▁begin｜>", "```json"], Family::DeepSeekV3),
    (&["<｜tool▁call▁begin｜>"], Family::DeepSeekV31),
    (&["<|tool_call_argument_begin|>"], Family::KimiK2),
    (&["<minimax:tool_call>"], Family::MiniMaxM2),
    // MiniMax M3, whose tags look like others' with a prefix: no parser here reads it.
    (&["]<]minimax[>["], Family::None),
    (&["</arg_key><arg_value>"], Family::Glm47),
    (&["<arg_key>", "<arg_value>"], Family::Glm45),
    (&["<function=", "<parameter="], Family::Qwen3Coder),
    (&["[TOOL_CALLS]"], Family::Mistral),
    (&["<tool_call>"], Family::Hermes),
    (&["<|python_start|>"], Family::Llama4Pythonic),
    (
        &["<|header_start|>", "[func_name1("],
        Family::Llama4Pythonic,
    ),
    (&["[func_name1("], Family::Pythonic),
    (&["<|python_tag|>"], Family::Llama3Json),
    (
        &["<|start_header_id|>", "\"parameters\": "],
        Family::Llama3Json,
    ),
    (
        &["<|header_start|>", "\"parameters\": "],
        Family::Llama3Json,
    ),
];

/// The tags that templates mention, by their closing one.
const TAGS: &[(&str, &str)] = &[
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel>thought", "<channel|>"),
];

impl ParserSpec {
    /// The family and reasoning style of a model, from the markers in its own chat template.
    ///
    /// A template that mentions tool calls but no known marker means [`Family::Json`], one that mentions none
    /// [`Family::None`]. Reasoning is [forced open](ReasoningStyle::ForcedOpen) where the template can end the prompt
    /// with the opening tag; what a rendered prompt really ends with is for [`ReasoningStyle::after_prompt`] to say.
    #[must_use]
    pub fn of_template(source: &str) -> (Family, ReasoningStyle) {
        let sign = SIGNS
            .iter()
            .find(|(texts, _)| texts.iter().all(|text| source.contains(text)));
        let family = match sign {
            Some((_, family)) => *family,
            None if source.contains("tool_calls") => Family::Json,
            None => Family::None,
        };
        (family, reasoning(family, source))
    }
}

fn reasoning(family: Family, source: &str) -> ReasoningStyle {
    let mentioned = TAGS.iter().find(|(_, close)| source.contains(close));
    match mentioned {
        _ if family == Family::Harmony => ReasoningStyle::None,
        None => ReasoningStyle::None,
        Some((open, close)) => {
            let tags = Tags::new(open, close).expect("the table's tags differ");
            if opens_in_prompt(source, &tags) {
                ReasoningStyle::ForcedOpen(tags)
            } else {
                ReasoningStyle::Tagged(tags)
            }
        }
    }
}

/// Whether the part of the template that opens the assistant's turn writes an opening tag without closing it at once.
fn opens_in_prompt(source: &str, tags: &Tags) -> bool {
    let Some(at) = source.rfind("add_generation_prompt") else {
        return false;
    };
    let tail = &source[at..];
    tail.match_indices(tags.open()).any(|(at, open)| {
        let behind = &tail[at + open.len()..];
        let literal = behind.find(['\'', '"', '{']).unwrap_or(behind.len());
        !behind[..literal].contains(tags.close())
    })
}
