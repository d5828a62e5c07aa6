//! Models with settings of their own.

use std::path::PathBuf;

use gateway_proto::text::{
    model::Defaults,
    parse::{Family, ReasoningStyle, Tags},
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{HedgeFile, ObjectivesFile, PairsFile, PipelineFile};

/// A model with settings of its own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// The name clients ask for.
    pub name: String,
    /// How its endpoints are chosen.
    #[serde(default)]
    pub pipeline: Option<PipelineFile>,
    /// Times that its requests are to meet which bring none themselves; what is missing is taken from the top level.
    #[serde(default)]
    pub objectives: ObjectivesFile,
    /// How much its requests matter beside others, -100 to 100; as at the top level where unset.
    #[serde(default)]
    pub priority: Option<i8>,
    /// When a second endpoint is asked for what a first one is silent on; as at the top level where unset.
    #[serde(default)]
    pub hedge: Option<HedgeFile>,
    /// Whether another engine takes up what one has failed in the middle of its answer; as at the top level where unset.
    #[serde(default)]
    pub migration: Option<bool>,
    /// How its requests are split between a prefill and a decode engine; as at the top level where unset.
    #[serde(default)]
    pub pairs: Option<PairsFile>,
    /// Serve it by tokens: the gateway renders, tokenizes and parses, and engines see token ids alone. By text where unset.
    #[serde(default)]
    pub tokens: Option<TokensFile>,
    /// APIs that its engines speak themselves: bodies go through as they came. Other APIs are translated. By text only.
    #[serde(default)]
    pub pass_through: Vec<DialectName>,
    /// What happens to images, audio and files of a model that is served by tokens.
    #[serde(default)]
    pub media: MediaName,
}

/// An API besides OpenAI's chat and completions, which always go through as they came where a model is served by text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DialectName {
    /// Anthropic's Messages.
    Messages,
    /// OpenAI's Responses.
    Responses,
}

/// What happens to images, audio and files of a model that is served by tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaName {
    /// The request is refused.
    #[default]
    Refuse,
    /// The request goes to the engine's own chat route, by text.
    PassThrough,
}

/// How a model is served by tokens. What is unset is read from the model's files.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokensFile {
    /// A folder in the Hugging Face layout: `tokenizer.json`, and where there are any `tokenizer_config.json`,
    /// `chat_template.jinja`, `generation_config.json` and `config.json`. Relative to this file.
    pub files: PathBuf,
    /// The tokenizer, where not `tokenizer.json` of the folder.
    #[serde(default)]
    pub tokenizer: Option<PathBuf>,
    /// The chat template, where not the folder's.
    #[serde(default)]
    pub template: Option<PathBuf>,
    /// How the model writes tool calls; seen from its template where unset.
    #[serde(default, deserialize_with = "family")]
    #[schemars(with = "Option<String>")]
    pub parser: Option<Family>,
    /// How the model writes reasoning: `none`, or the tags around it; seen from its template where unset.
    #[serde(default, deserialize_with = "reasoning")]
    #[schemars(with = "Option<ReasoningFile>")]
    pub reasoning: Option<ReasoningStyle>,
    /// Prompt and answer together, in tokens; `max_position_embeddings` of `config.json` where unset.
    #[serde(default)]
    pub context_tokens: Option<u32>,
    /// Tokens that end an answer, besides those that the files name.
    #[serde(default)]
    pub stop_token_ids: Vec<u32>,
    /// Texts that end every answer.
    #[serde(default)]
    pub stop: Vec<String>,
    /// Sampling where the request does not say, in place of `generation_config.json`.
    #[serde(default)]
    pub defaults: DefaultsFile,
    /// Whether requests may bring chat templates of their own.
    #[serde(default)]
    pub request_templates: bool,
    /// Bytes of encoded prompts that are kept for the next turn of a conversation; 0 for none.
    #[serde(default)]
    pub turn_cache_bytes: Option<usize>,
}

/// How reasoning is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ReasoningFile {
    /// `none`, `think` for `<think>` and `</think>`, or `brackets` for `[THINK]` and `[/THINK]`.
    Name(String),
    /// Other tags.
    Tags {
        /// What begins reasoning.
        open: String,
        /// What ends it.
        close: String,
    },
}

/// Sampling where a request leaves it open; what is unset is left to the engine.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DefaultsFile {
    /// 0 is greedy.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Only the likeliest so many tokens.
    pub top_k: Option<i64>,
    /// Only tokens of at least this share of the likeliest one's probability.
    pub min_p: Option<f64>,
    /// Above 1 makes repetition less likely.
    pub repetition_penalty: Option<f64>,
    /// The most tokens of an answer.
    pub max_tokens: Option<u64>,
}

impl From<DefaultsFile> for Defaults {
    fn from(file: DefaultsFile) -> Self {
        Self {
            temperature: file.temperature,
            top_p: file.top_p,
            top_k: file.top_k,
            min_p: file.min_p,
            repetition_penalty: file.repetition_penalty,
            max_tokens: file.max_tokens,
        }
    }
}

fn family<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Family>, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map(Some).map_err(D::Error::custom)
}

fn reasoning<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ReasoningStyle>, D::Error> {
    let style = match ReasoningFile::deserialize(deserializer)? {
        ReasoningFile::Name(name) => match name.as_str() {
            "none" => ReasoningStyle::None,
            "think" => ReasoningStyle::Tagged(Tags::think()),
            "brackets" => ReasoningStyle::Tagged(Tags::brackets()),
            other => {
                return Err(D::Error::custom(format_args!(
                    "unknown value `{other}`; known: none, think, brackets, or a map of `open` and `close`"
                )));
            }
        },
        ReasoningFile::Tags { open, close } => {
            let tags = Tags::new(&open, &close);
            let tags = tags.ok_or_else(|| {
                D::Error::custom("`open` and `close` must differ and must not be empty")
            })?;
            ReasoningStyle::Tagged(tags)
        }
    };
    Ok(Some(style))
}
