//! A model's own tokenizer and chat template.

use std::path::{Path, PathBuf};
use std::{fs, io};

use gateway_proto::ir::Request;
use gateway_proto::text::model::{ModelError, ModelFiles, ModelOptions, PrepareError, TextModel};
use gateway_proto::text::template::LocalTime;

use super::Script;
use crate::engine::clock::Clock;
use crate::text::{self, EOS, Writer};

/// The most tokens of an answer that is made up.
const MADE_UP_TOKENS: usize = 4_096;

/// Why a model's files are of no use.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is broken.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The script is not of its form.
    #[error("not a script: {0}")]
    Script(serde_json::Error),
}

/// A model's files, read, and what it says.
#[derive(Debug)]
pub struct ModelVoice {
    model: TextModel,
    script: Script,
    eos: u32,
}

impl ModelVoice {
    /// Reads the files of a model in the Hugging Face layout.
    ///
    /// # Errors
    /// Where a file is missing or broken.
    pub fn load(folder: &Path, script: Script) -> Result<Self, VoiceError> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).map_err(|source| VoiceError::File { path, source })
        };
        let files = ModelFiles {
            tokenizer: read("tokenizer.json")?,
            tokenizer_config: read("tokenizer_config.json").ok(),
            chat_template: fs::read_to_string(folder.join("chat_template.jinja")).ok(),
            generation_config: read("generation_config.json").ok(),
            config: read("config.json").ok(),
        };
        let options = ModelOptions {
            // The engine's own limit counts.
            context_tokens: Some(u32::MAX),
            ..ModelOptions::default()
        };
        let model = TextModel::load(&files, &options)?;
        let named = model.tokenizer().special_tokens().id("eos_token");
        Ok(Self {
            eos: named.unwrap_or(model.ends()[0]),
            script,
            model,
        })
    }

    /// The tokens of a chat as the model's own template writes it.
    ///
    /// # Errors
    /// The template's own refusal.
    pub fn render(&self, request: &Request) -> Result<Vec<u32>, PrepareError> {
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds since 1970")]
        let now = LocalTime::from_unix(Clock::unix_seconds() as i64, 0);
        Ok(self.model.tokens(request, now)?.swap_remove(0))
    }

    pub(super) fn encode(&self, text: &str) -> Vec<u32> {
        self.model
            .tokenizer()
            .encode(text, false)
            .unwrap_or_default()
    }

    pub(super) fn decode(&self, tokens: &[u32]) -> String {
        self.model.text_of(tokens)
    }

    pub(super) fn bytes(&self, token: u32) -> &[u8] {
        self.model.tokenizer().bytes_of(token).unwrap_or_default()
    }

    pub(super) fn vocabulary(&self) -> u32 {
        u32::try_from(self.model.tokenizer().vocab_size()).unwrap_or(u32::MAX)
    }

    pub(super) const fn eos(&self) -> u32 {
        self.eos
    }

    /// The answer to a prompt, or what is left of it where the prompt holds its beginning already.
    pub(super) fn answer(&self, prompt: &[u32], seed: u64) -> Vec<u32> {
        let text = self.decode(prompt);
        let (question, begun) = self.script.split(&text);
        let reply = self
            .script
            .reply(question)
            .unwrap_or_else(|| made_up(question, seed));
        let tokens = self.encode(&reply);
        if begun.is_empty() {
            return tokens;
        }
        let asked = self.tokens_of(prompt, question.len());
        match tokens.strip_prefix(&prompt[asked..]) {
            Some(rest) => rest.to_vec(),
            None => self.encode(rest_of(&reply, begun)),
        }
    }

    /// How many tokens make up the first `length` bytes.
    fn tokens_of(&self, prompt: &[u32], length: usize) -> usize {
        let mut bytes = 0;
        let behind = |token: &u32| {
            bytes += self.bytes(*token).len();
            bytes > length
        };
        prompt.iter().position(behind).unwrap_or(prompt.len())
    }
}

/// What comes behind `begun` in `reply`. Where reasoning was closed in another place than the reply does, the reply goes
/// on behind its own.
fn rest_of<'a>(reply: &'a str, begun: &str) -> &'a str {
    const CLOSE: &str = "</think>";
    if let Some(rest) = reply.strip_prefix(begun) {
        return rest;
    }
    let Some((_, said)) = begun.rsplit_once(CLOSE) else {
        return "";
    };
    let answer = reply.split_once(CLOSE).map_or(reply, |(_, answer)| answer);
    let answer = answer.trim_start();
    answer.strip_prefix(said.trim_start()).unwrap_or("")
}

/// Sentences that follow from the question.
fn made_up(question: &str, seed: u64) -> String {
    let mut writer = Writer::new(seed);
    writer.read(&text::encode(question));
    let words = std::iter::repeat_with(|| writer.write(true)).take(MADE_UP_TOKENS);
    let words: Vec<u32> = words.take_while(|word| *word != EOS).collect();
    text::decode(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_continued_where_it_was_left() {
        let reply = "<think>\nLong thoughts.\n</think>\n\nYes, it is.";
        assert_eq!(
            rest_of(reply, "<think>\nLong"),
            " thoughts.\n</think>\n\nYes, it is."
        );
        assert_eq!(
            rest_of(reply, "<think>\nLo\n</think>\n\n"),
            "Yes, it is.",
            "closed early"
        );
        assert_eq!(rest_of(reply, "<think>\n\n</think>\n\nYes,"), " it is.");
        assert_eq!(rest_of("Yes.", "No"), "");
    }
}
