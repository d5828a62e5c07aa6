//! Answers as models of each family write them.

use std::sync::Arc;

use gateway_proto::text::parse::{Family, ParserSpec, ReasoningStyle, Tags, ToolSpec};
use serde_json::json;

use crate::Prose;

/// An answer with reasoning where the family has it, text, and two calls of `write_file`.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Who writes so.
    pub family: Family,
    /// How its reasoning is written.
    pub reasoning: ReasoningStyle,
    /// What is written.
    pub text: String,
}

impl Answer {
    /// Its parser.
    #[must_use]
    pub fn spec(&self) -> ParserSpec {
        ParserSpec {
            family: self.family,
            reasoning: self.reasoning.clone(),
            tools: Arc::new([tool()]),
        }
    }
}

fn tool() -> ToolSpec {
    let parameters = json!({"type": "object", "properties": {"path": {"type": "string"}, "text": {"type": "string"}}});
    ToolSpec {
        name: "write_file".to_owned(),
        parameters,
    }
}

/// The parts of an answer.
struct Parts {
    reasoning: String,
    content: String,
    files: [(String, String); 2],
}

impl Parts {
    fn new() -> Self {
        let mut prose = Prose::new(5);
        let mut file = |name: &str| {
            let text = prose.text(400).replace('\n', " ");
            (format!("src/{name}.rs"), text)
        };
        let files = [file("one"), file("two")];
        Self {
            reasoning: prose.text(600),
            content: prose.text(600),
            files,
        }
    }

    /// The calls, each written by `write`, with `between` between them.
    fn calls(&self, between: &str, write: impl Fn(usize, &str, &str) -> String) -> String {
        let calls = self.files.iter().enumerate();
        let calls: Vec<String> = calls
            .map(|(number, (path, text))| write(number, path, text))
            .collect();
        calls.join(between)
    }

    fn thinking(&self) -> String {
        format!("<think>\n{}\n</think>\n\n{}", self.reasoning, self.content)
    }
}

fn arguments(path: &str, text: &str) -> String {
    json!({"path": path, "text": text}).to_string()
}

/// One answer for each family whose answers look alike in nothing.
#[must_use]
pub fn answers() -> Vec<Answer> {
    let parts = Parts::new();
    let tagged = || ReasoningStyle::Tagged(Tags::think());
    let none = || ReasoningStyle::None;
    [
        (Family::None, tagged(), parts.thinking()),
        (Family::Hermes, tagged(), hermes(&parts)),
        (Family::Qwen3Coder, tagged(), qwen3_coder(&parts)),
        (Family::Glm47, tagged(), glm(&parts)),
        (Family::MiniMaxM2, tagged(), minimax(&parts)),
        (Family::KimiK2, tagged(), kimi(&parts)),
        (Family::DeepSeekV31, tagged(), deepseek(&parts)),
        (Family::Gemma, none(), gemma(&parts)),
        (Family::Mistral, none(), mistral(&parts)),
        (Family::Llama3Json, none(), llama(&parts)),
        (Family::Pythonic, none(), pythonic(&parts)),
        (Family::Harmony, none(), harmony(&parts)),
    ]
    .into_iter()
    .map(|(family, reasoning, text)| Answer {
        family,
        reasoning,
        text,
    })
    .collect()
}

fn hermes(parts: &Parts) -> String {
    let calls = parts.calls("\n", |_, path, text| {
        let arguments = arguments(path, text);
        format!(
            "<tool_call>\n{{\"name\": \"write_file\", \"arguments\": {arguments}}}\n</tool_call>"
        )
    });
    format!("{}\n{calls}", parts.thinking())
}

fn qwen3_coder(parts: &Parts) -> String {
    let calls = parts.calls("\n", |_, path, text| {
        format!(
            "<tool_call>\n<function=write_file>\n<parameter=path>\n{path}\n</parameter>\n\
             <parameter=text>\n{text}\n</parameter>\n</function>\n</tool_call>"
        )
    });
    format!("{}\n\n{calls}", parts.thinking())
}

fn glm(parts: &Parts) -> String {
    let calls = parts.calls("", |_, path, text| {
        format!(
            "<tool_call>write_file<arg_key>path</arg_key><arg_value>{path}</arg_value>\
             <arg_key>text</arg_key><arg_value>{text}</arg_value></tool_call>"
        )
    });
    format!("<think>{}</think>{}{calls}", parts.reasoning, parts.content)
}

fn minimax(parts: &Parts) -> String {
    let calls = parts.calls("\n", |_, path, text| {
        format!(
            "<invoke name=\"write_file\">\n<parameter name=\"path\">{path}</parameter>\n\
             <parameter name=\"text\">{text}</parameter>\n</invoke>"
        )
    });
    format!(
        "{}\n\n<minimax:tool_call>\n{calls}\n</minimax:tool_call>",
        parts.thinking()
    )
}

fn kimi(parts: &Parts) -> String {
    let calls = parts.calls("", |number, path, text| {
        let arguments = arguments(path, text);
        format!(
            "<|tool_call_begin|>functions.write_file:{number}<|tool_call_argument_begin|>{arguments}<|tool_call_end|>"
        )
    });
    format!(
        "<think>{}</think>{}<|tool_calls_section_begin|>{calls}<|tool_calls_section_end|>",
        parts.reasoning, parts.content
    )
}

fn deepseek(parts: &Parts) -> String {
    let calls = parts.calls("", |_, path, text| {
        let arguments = arguments(path, text);
        format!("<｜tool▁call▁begin｜>write_file<｜tool▁sep｜>{arguments}<｜tool▁call▁end｜>")
    });
    format!(
        "<think>{}</think>{}<｜tool▁calls▁begin｜>{calls}<｜tool▁calls▁end｜>",
        parts.reasoning, parts.content
    )
}

fn gemma(parts: &Parts) -> String {
    let calls = parts.calls("", |_, path, text| {
        format!("<|tool_call>call:write_file{{path:<|\"|>{path}<|\"|>,text:<|\"|>{text}<|\"|>}}<tool_call|>")
    });
    format!("{} {}{calls}", parts.reasoning, parts.content)
}

fn mistral(parts: &Parts) -> String {
    let calls = parts.calls("", |_, path, text| {
        format!("[TOOL_CALLS]write_file[ARGS]{}", arguments(path, text))
    });
    format!("{} {}{calls}", parts.reasoning, parts.content)
}

/// Calls come alone.
fn llama(parts: &Parts) -> String {
    parts.calls("; ", |_, path, text| {
        let arguments = arguments(path, text);
        format!("{{\"name\": \"write_file\", \"parameters\": {arguments}}}")
    })
}

/// Calls come alone.
fn pythonic(parts: &Parts) -> String {
    let calls = parts.calls(", ", |_, path, text| {
        format!("write_file(path='{path}', text='{text}')")
    });
    format!("[{calls}]")
}

fn harmony(parts: &Parts) -> String {
    let calls = parts.calls("", |_, path, text| {
        let arguments = arguments(path, text);
        format!(
            "<|start|>assistant<|channel|>commentary to=functions.write_file <|constrain|>json<|message|>{arguments}<|call|>"
        )
    });
    format!(
        "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>{}<|end|>{calls}",
        parts.reasoning, parts.content
    )
}

/// What a special token is bracketed by, in the families above.
const MARKERS: [(&str, &str); 3] = [("<|", "|>"), ("<｜", "｜>"), ("[TOOL_CALLS", "]")];

/// Cuts an answer about as a tokenizer does: special tokens, words with the space before them, single signs.
#[must_use]
pub fn split(text: &str) -> Vec<&str> {
    let mut rest = text;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(piece_len(rest));
        pieces.push(piece);
        rest = more;
    }
    pieces
}

fn piece_len(text: &str) -> usize {
    for (open, close) in MARKERS {
        if text.starts_with(open)
            && let Some(end) = text.find(close)
            && end < 40
        {
            return end + close.len();
        }
    }
    let space = usize::from(text.starts_with(' '));
    let word = text[space..].find(|c: char| !c.is_ascii_alphanumeric());
    match word.unwrap_or(text.len() - space) {
        0 => text[space..]
            .chars()
            .next()
            .map_or(space, |c| space + c.len_utf8()),
        letters => space + letters.min(8),
    }
}

#[cfg(test)]
mod tests {
    use gateway_proto::text::parse::Piece;

    use super::*;

    #[test]
    fn every_answer_is_read_as_two_calls() {
        for answer in answers() {
            let mut parser = answer.spec().build();
            let mut pieces = Vec::new();
            for piece in split(&answer.text) {
                parser.push(piece, &mut pieces);
            }
            parser.finish(&mut pieces);
            let calls = pieces
                .iter()
                .filter(|piece| **piece == Piece::CallEnd)
                .count();
            let wanted = if answer.family == Family::None { 0 } else { 2 };
            assert_eq!(calls, wanted, "{}: {pieces:?}", answer.family);
            assert_eq!(split(&answer.text).concat(), answer.text);
        }
    }
}
