//! The parser of a model is chosen from its chat template: over the published templates of many families.
//!
//! The templates come with the source archive of a Python package and are fetched once.
#![cfg(feature = "text")]

use std::fs;
use std::path::PathBuf;

use gateway_proto::text::parse::{Family, ParserSpec, ReasoningStyle, Tags};

/// How reasoning is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    None,
    Tagged,
    Forced,
    Brackets,
    Channel,
}

use Family::{
    DeepSeekV3, DeepSeekV31, DeepSeekV32, Gemma, Glm45, Glm47, Harmony, Hermes, Json, KimiK2,
    Llama3Json, MiniMaxM2, Mistral, Qwen3Coder,
};

/// Templates whose output format is known.
const TEMPLATES: &[(&str, Family, Style)] = &[
    ("Qwen-Qwen2.5-7B-Instruct", Hermes, Style::None),
    ("Qwen-QwQ-32B", Hermes, Style::Forced),
    ("Qwen-Qwen3-0.6B", Hermes, Style::Tagged),
    (
        "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use",
        Hermes,
        Style::None,
    ),
    (
        "NousResearch-Hermes-3-Llama-3.1-8B-tool_use",
        Hermes,
        Style::None,
    ),
    ("MiMo-VL", Hermes, Style::None),
    ("ibm-granite-granite-4.0", Hermes, Style::None),
    ("Qwen3-Coder", Qwen3Coder, Style::None),
    ("Qwen3.5-4B", Qwen3Coder, Style::Forced),
    (
        "NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
        Qwen3Coder,
        Style::Forced,
    ),
    ("StepFun3.5-Flash", Qwen3Coder, Style::Forced),
    ("meta-llama-Llama-3.1-8B-Instruct", Llama3Json, Style::None),
    ("meta-llama-Llama-3.2-3B-Instruct", Llama3Json, Style::None),
    ("meta-llama-Llama-3.3-70B-Instruct", Llama3Json, Style::None),
    ("mistralai-Mistral-Nemo-Instruct-2407", Mistral, Style::None),
    ("Mistral-Small-3.2-24B-Instruct-2506", Mistral, Style::None),
    ("unsloth-mistral-Devstral-Small-2507", Mistral, Style::None),
    (
        "mistralai-Ministral-3-14B-Reasoning-2512",
        Mistral,
        Style::Brackets,
    ),
    ("llama-cpp-deepseek-r1", DeepSeekV3, Style::Forced),
    (
        "deepseek-ai-DeepSeek-R1-Distill-Llama-8B",
        DeepSeekV3,
        Style::Forced,
    ),
    (
        "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B",
        DeepSeekV3,
        Style::Forced,
    ),
    ("deepseek-ai-DeepSeek-V3.1", DeepSeekV31, Style::Forced),
    // The tag is in a variable here: only the rendered prompt tells whether it is open.
    ("deepseek-ai-DeepSeek-V3.2", DeepSeekV32, Style::Tagged),
    ("Kimi-K2-Instruct", KimiK2, Style::None),
    ("moonshotai-Kimi-K2", KimiK2, Style::None),
    ("Kimi-K2-Thinking", KimiK2, Style::Tagged),
    ("GLM-4.6", Glm45, Style::Tagged),
    ("GLM-4.7-Flash", Glm47, Style::Forced),
    ("MiniMax-M2", MiniMaxM2, Style::Forced),
    ("openai-gpt-oss-120b", Harmony, Style::None),
    ("google-gemma-4-31B-it", Gemma, Style::Channel),
    ("google-gemma-4-31B-it-interleaved", Gemma, Style::Channel),
    ("fireworks-ai-llama-3-firefunction-v2", Json, Style::None),
    ("google-gemma-2-2b-it", Family::None, Style::None),
    ("microsoft-Phi-3.5-mini-instruct", Family::None, Style::None),
    // A format that no parser here reads.
    ("MiniMax-M3", Family::None, Style::None),
];

fn style(style: Style) -> ReasoningStyle {
    let channel = Tags::new("<|channel>thought", "<channel|>").expect("tags that differ");
    match style {
        Style::None => ReasoningStyle::None,
        Style::Tagged => ReasoningStyle::Tagged(Tags::think()),
        Style::Forced => ReasoningStyle::ForcedOpen(Tags::think()),
        Style::Brackets => ReasoningStyle::Tagged(Tags::brackets()),
        Style::Channel => ReasoningStyle::Tagged(channel),
    }
}

fn folder() -> PathBuf {
    let archive = testkit::pip_download(
        "llama-cpp-python",
        "0.3.36",
        "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e",
    );
    archive.join("llama_cpp_python-0.3.36/vendor/llama.cpp/models/templates")
}

#[test]
fn published_templates_choose_their_parser() {
    let folder = folder();
    for (name, family, reasoning) in TEMPLATES {
        let path = folder.join(format!("{name}.jinja"));
        let source = fs::read_to_string(&path).expect("the archive carries the template");
        let chosen = ParserSpec::of_template(&source);
        assert_eq!(chosen, (*family, style(*reasoning)), "{name}");
    }
}
