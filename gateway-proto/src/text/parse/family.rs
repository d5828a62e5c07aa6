//! The families of output formats.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// How a model writes its tool calls, by the name that configuration uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Family {
    /// `<tool_call>{"name": .., "arguments": ..}</tool_call>`: Hermes 2 and later, Qwen 2.5, Qwen 3.
    Hermes,
    /// `<tool_call><function=..><parameter=..>..`: Qwen3-Coder, Qwen 3.5.
    Qwen3Coder,
    /// `{"name": .., "parameters": ..}`, alone or after `<|python_tag|>`: Llama 3.1 to 3.3.
    Llama3Json,
    /// `[name(key=value), ..]`, possibly between `<|python_start|>` and `<|python_end|>`: Llama 4, Llama 3.2.
    Llama4Pythonic,
    /// `[TOOL_CALLS]` with an array, or with `name[ARGS]{..}`: Mistral.
    Mistral,
    /// `<｜tool▁call▁begin｜>function<｜tool▁sep｜>name` and fenced JSON: DeepSeek V3, R1.
    DeepSeekV3,
    /// `<｜tool▁call▁begin｜>name<｜tool▁sep｜>{..}`: DeepSeek V3.1.
    DeepSeekV31,
    /// `<｜DSML｜invoke name="..">` with typed parameters: DeepSeek V3.2.
    DeepSeekV32,
    /// `<|tool_call_begin|>functions.name:0<|tool_call_argument_begin|>{..}`: Kimi K2.
    KimiK2,
    /// `<tool_call>name\n<arg_key>..<arg_value>..`: GLM-4.5, GLM-4.6.
    Glm45,
    /// The same without the line breaks: GLM-4.7, GLM-5.
    Glm47,
    /// Channels and recipients: GPT-OSS.
    Harmony,
    /// `<minimax:tool_call><invoke name="..">`: MiniMax M2.
    MiniMaxM2,
    /// Gemma's own form.
    Gemma,
    /// A JSON object or array of objects with a name and arguments, bare or fenced.
    Json,
    /// `[name(key=value), ..]`.
    Pythonic,
    /// No calls.
    #[default]
    None,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Hermes,
        Self::Qwen3Coder,
        Self::Llama3Json,
        Self::Llama4Pythonic,
        Self::Mistral,
        Self::DeepSeekV3,
        Self::DeepSeekV31,
        Self::DeepSeekV32,
        Self::KimiK2,
        Self::Glm45,
        Self::Glm47,
        Self::Harmony,
        Self::MiniMaxM2,
        Self::Gemma,
        Self::Json,
        Self::Pythonic,
        Self::None,
    ];

    /// Its name in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hermes => "hermes",
            Self::Qwen3Coder => "qwen3-coder",
            Self::Llama3Json => "llama3-json",
            Self::Llama4Pythonic => "llama4-pythonic",
            Self::Mistral => "mistral",
            Self::DeepSeekV3 => "deepseek-v3",
            Self::DeepSeekV31 => "deepseek-v3.1",
            Self::DeepSeekV32 => "deepseek-v3.2",
            Self::KimiK2 => "kimi-k2",
            Self::Glm45 => "glm-4.5",
            Self::Glm47 => "glm-4.7",
            Self::Harmony => "harmony",
            Self::MiniMaxM2 => "minimax-m2",
            Self::Gemma => "gemma",
            Self::Json => "json",
            Self::Pythonic => "pythonic",
            Self::None => "none",
        }
    }
}

/// A name that no family has.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("no output format is called '{name}'; known: {}", known())]
pub struct UnknownFamily {
    /// The name.
    pub name: String,
}

fn known() -> String {
    Family::ALL.map(Family::name).join(", ")
}

impl FromStr for Family {
    type Err = UnknownFamily;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|family| family.name() == name);
        found.ok_or_else(|| UnknownFamily {
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_strangers_learn_the_known_ones() {
        for family in Family::ALL {
            assert_eq!(family.name().parse(), Ok(family));
        }
        let error = "hermes2".parse::<Family>().unwrap_err().to_string();
        assert!(
            error.contains("'hermes2'") && error.contains("kimi-k2"),
            "{error}"
        );
    }
}
