//! What is known of a family's markup beside its parser.

use super::Family;

impl Family {
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
