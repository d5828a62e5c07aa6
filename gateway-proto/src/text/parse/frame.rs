//! How a call is written, for those who make an engine write one.

use super::Family;

/// The text around the arguments of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFrame {
    /// What the model writes up to the arguments, the function's name in it.
    pub begin: String,
    /// What it writes after them.
    pub end: &'static str,
    /// Whether the arguments are one JSON object: then the tool's schema constrains what stands between the two. Other
    /// formats need a grammar of their own.
    pub json: bool,
}

impl Family {
    /// How a call of `name` is written as a whole answer, section and all. `None` where the family has no calls.
    ///
    /// A `tool_choice` that forces this one call needs a structural tag of `begin`, the schema and `end`. Where the engine
    /// has no structural tags, or several calls may be forced, constrain the answer to a JSON array of objects with
    /// `name` and `parameters` and read it as [`Family::Json`], whatever the model's own family: that is what engines do.
    #[must_use]
    pub fn frame(self, name: &str) -> Option<CallFrame> {
        let (before, after, end) = self.frame_parts()?;
        Some(CallFrame {
            begin: format!("{before}{name}{after}"),
            end,
            json: self.has_json_arguments(),
        })
    }

    /// Whether the arguments of a call are one JSON object in the model's own output.
    #[must_use]
    pub fn has_json_arguments(self) -> bool {
        match self {
            Self::Hermes
            | Self::Llama3Json
            | Self::Mistral
            | Self::DeepSeekV3
            | Self::DeepSeekV31
            | Self::KimiK2
            | Self::Harmony
            | Self::Json => true,
            Self::Qwen3Coder
            | Self::Llama4Pythonic
            | Self::DeepSeekV32
            | Self::Glm45
            | Self::Glm47
            | Self::MiniMaxM2
            | Self::Gemma
            | Self::Pythonic
            | Self::None => false,
        }
    }

    /// What stands before the name, between it and the arguments, and after them.
    fn frame_parts(self) -> Option<(&'static str, &'static str, &'static str)> {
        Some(match self {
            Self::Hermes => (
                "<tool_call>\n{\"name\": \"",
                "\", \"arguments\": ",
                "}\n</tool_call>",
            ),
            Self::Llama3Json => ("{\"name\": \"", "\", \"parameters\": ", "}"),
            Self::Json => ("{\"name\": \"", "\", \"arguments\": ", "}"),
            Self::Mistral => ("[TOOL_CALLS]", "[ARGS]", ""),
            Self::DeepSeekV3 => (
                "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>",
                "\n```json\n",
                "\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            ),
            Self::DeepSeekV31 => (
                "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>",
                "<｜tool▁sep｜>",
                "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            ),
            Self::DeepSeekV32 => (
                "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"",
                "\">\n",
                "</｜DSML｜invoke>\n</｜DSML｜function_calls>",
            ),
            Self::KimiK2 => (
                "<|tool_calls_section_begin|><|tool_call_begin|>functions.",
                ":0<|tool_call_argument_begin|>",
                "<|tool_call_end|><|tool_calls_section_end|>",
            ),
            Self::Harmony => (
                "<|channel|>commentary to=functions.",
                " <|constrain|>json<|message|>",
                "<|call|>",
            ),
            Self::Qwen3Coder => (
                "<tool_call>\n<function=",
                ">\n",
                "</function>\n</tool_call>",
            ),
            Self::Glm45 => ("<tool_call>", "\n", "</tool_call>"),
            Self::Glm47 => ("<tool_call>", "", "</tool_call>"),
            Self::MiniMaxM2 => (
                "<minimax:tool_call>\n<invoke name=\"",
                "\">\n",
                "</invoke>\n</minimax:tool_call>",
            ),
            Self::Llama4Pythonic | Self::Pythonic => ("[", "(", ")]"),
            Self::Gemma => ("<|tool_call>call:", "{", "}<tool_call|>"),
            Self::None => return None,
        })
    }

    /// The special tokens that a parser of this family reads. A detokenizer that leaves special tokens out must keep
    /// these, and the [tags](super::Tags) of reasoning with them.
    #[must_use]
    pub fn special_tokens(self) -> &'static [&'static str] {
        match self {
            Self::Hermes | Self::Qwen3Coder => &["<tool_call>", "</tool_call>"],
            Self::Llama3Json => &["<|python_tag|>"],
            Self::Llama4Pythonic => &["<|python_start|>", "<|python_end|>"],
            Self::Mistral => &["[TOOL_CALLS]", "[ARGS]", "[CALL_ID]"],
            Self::DeepSeekV3 | Self::DeepSeekV31 => &[
                "<｜tool▁calls▁begin｜>",
                "<｜tool▁calls▁end｜>",
                "<｜tool▁call▁begin｜>",
                "<｜tool▁call▁end｜>",
                "<｜tool▁sep｜>",
            ],
            Self::DeepSeekV32 => &["｜DSML｜"],
            Self::KimiK2 => &[
                "<|tool_calls_section_begin|>",
                "<|tool_calls_section_end|>",
                "<|tool_call_begin|>",
                "<|tool_call_argument_begin|>",
                "<|tool_call_end|>",
            ],
            Self::Glm45 | Self::Glm47 => &[
                "<tool_call>",
                "</tool_call>",
                "<arg_key>",
                "</arg_key>",
                "<arg_value>",
                "</arg_value>",
            ],
            Self::Harmony => &[
                "<|start|>",
                "<|channel|>",
                "<|constrain|>",
                "<|message|>",
                "<|end|>",
                "<|call|>",
                "<|return|>",
            ],
            Self::MiniMaxM2 => &["<minimax:tool_call>", "</minimax:tool_call>"],
            Self::Gemma => &[
                "<|tool_call>",
                "<tool_call|>",
                "<|\"|>",
                "<start_function_call>",
                "<end_function_call>",
                "<escape>",
            ],
            Self::Json | Self::Pythonic | Self::None => &[],
        }
    }
}
