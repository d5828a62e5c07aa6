//! A model's own tokenizer and chat template.

use std::path::Path;

use gateway_proto::ir::{Content, Message, Prompt, Request, ToolChoice};
use gateway_proto::text::model::{ModelFiles, ModelOptions, PrepareError, TextModel};
use gateway_proto::text::parse::{Family, ParserSpec, Tags, ToolSpec};
use gateway_proto::text::template::LocalTime;

use super::begun::rest_of;
use super::{Script, VoiceError, files};
use crate::engine::clock::Clock;
use crate::text::{self, EOS, Writer};

/// The most tokens of an answer that is made up.
const MADE_UP_TOKENS: usize = 4_096;

/// Choices of one request whose continuations are recognised.
const TOLD_APART: u32 = 16;

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
        Self::new(&files::read(folder)?, script)
    }

    /// A model of these files. Where the script does not say what opens an answer, the template does.
    ///
    /// # Errors
    /// Where a file is broken.
    pub fn new(files: &ModelFiles, mut script: Script) -> Result<Self, VoiceError> {
        let options = ModelOptions {
            // The engine's own limit counts.
            context_tokens: Some(u32::MAX),
            ..ModelOptions::default()
        };
        let model = TextModel::load(files, &options)?;
        script.opening = script.opening.or_else(|| opening(&model));
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
        Ok(self.model.tokens(request, now())?.swap_remove(0))
    }

    /// How the answer to this prompt is split into reasoning, content and calls of the request's tools.
    #[must_use]
    pub fn parser_of(&self, request: &Request, prompt: &[u32]) -> ParserSpec {
        let ParserSpec {
            family, reasoning, ..
        } = self.model.parser();
        let calls_tools = !request.tools.is_empty() && request.tool_choice != ToolChoice::None;
        ParserSpec {
            family: match calls_tools || *family == Family::Harmony {
                true => *family,
                false => Family::None,
            },
            reasoning: reasoning.after_prompt(&self.decode(prompt)),
            tools: ToolSpec::of_tools(&request.tools),
        }
    }

    /// The texts around its reasoning, if it has any.
    #[must_use]
    pub fn tags(&self) -> Option<&Tags> {
        self.model.parser().reasoning.tags()
    }

    /// How its calls are read, whatever the request.
    #[must_use]
    pub fn parser_of_calls(&self) -> ParserSpec {
        let spec = self.model.parser();
        ParserSpec {
            reasoning: spec.reasoning.after_prompt(""),
            ..spec.clone()
        }
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

    /// What the script says to a prompt, from the beginning of the answer; none where no rule fits.
    #[must_use]
    pub fn scripted(&self, prompt: &[u32]) -> Option<String> {
        let text = self.decode(prompt);
        self.script.reply(self.script.split(&text).0)
    }

    /// The answer to a prompt, or what is left of it where the prompt holds its beginning already.
    pub(super) fn answer(&self, prompt: &[u32], seed: u64, choice: u32) -> Vec<u32> {
        self.answer_with(prompt, |question, begun| {
            let scripted = self.script.reply(question);
            scripted.unwrap_or_else(|| self.invented(question, begun, seed, choice))
        })
    }

    /// A made-up answer: of those that differ by their choice alone, the one that was begun.
    fn invented(&self, question: &str, begun: &str, seed: u64, choice: u32) -> String {
        let said = match self.tags() {
            Some(tags) => begun.rsplit(tags.close()).next().unwrap_or_default(),
            None => begun,
        };
        let said = said.trim_start();
        let choices = std::iter::once(choice).chain(0..TOLD_APART);
        let mut answers = choices.map(|choice| made_up(question, seed, choice));
        let own = answers.next().unwrap_or_default();
        if own.starts_with(said) {
            return own;
        }
        answers
            .find(|answer| answer.starts_with(said))
            .unwrap_or(own)
    }

    /// The answer that `reply` makes of the question and of what the script says to it, or what is left of that answer.
    /// Where the prompt holds another beginning, all of it: an engine that is held to a form writes nothing else.
    pub fn answer_as(
        &self,
        prompt: &[u32],
        reply: impl FnOnce(&str, Option<String>) -> String,
    ) -> Vec<u32> {
        let mut whole = String::new();
        let rest = self.answer_with(prompt, |question, _| {
            whole = reply(question, self.script.reply(question));
            whole.clone()
        });
        let is_other = rest.is_empty() && !self.decode(prompt).ends_with(&whole);
        if is_other { self.encode(&whole) } else { rest }
    }

    fn answer_with(&self, prompt: &[u32], reply: impl FnOnce(&str, &str) -> String) -> Vec<u32> {
        let text = self.decode(prompt);
        let (question, begun) = self.script.split(&text);
        let reply = reply(question, begun);
        let tokens = self.encode(&reply);
        if begun.is_empty() {
            return tokens;
        }
        let asked = self.tokens_of(prompt, question.len());
        match tokens.strip_prefix(&prompt[asked..]) {
            Some(rest) => rest.to_vec(),
            None => self.encode(&rest_of(&reply, begun, self.tags())),
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

/// What the template puts before every answer, whether or not it is to have reasoning. Where reasoning is opened or
/// closed for the model, that is part of the answer.
fn opening(model: &TextModel) -> Option<String> {
    let with = |thinking: Option<bool>, opens: bool| {
        let said = Message {
            role: "user".to_owned(),
            content: Some(Content::Text("Hi".to_owned())),
            ..Message::default()
        };
        let mut request = Request {
            prompt: Prompt::Messages(vec![said]),
            ..Request::default()
        };
        request.reasoning.enabled = thinking;
        request.template.add_generation_prompt = Some(opens);
        let tokens = model.tokens(&request, now()).ok()?.swap_remove(0);
        Some(model.text_of(&tokens))
    };
    let added = |thinking| {
        let (open, closed) = (with(thinking, true)?, with(thinking, false)?);
        Some(open.strip_prefix(&closed)?.to_owned())
    };
    let mut opening = added(None)?;
    for thinking in [true, false] {
        let other = added(Some(thinking)).unwrap_or_default();
        opening.truncate(common(&opening, &other));
    }
    if let Some(at) = model
        .parser()
        .reasoning
        .tags()
        .and_then(|tags| opening.find(tags.open()))
    {
        opening.truncate(at);
    }
    Some(opening).filter(|opening| !opening.is_empty())
}

/// The bytes of the beginning that two texts share.
fn common(one: &str, other: &str) -> usize {
    let pairs = one.chars().zip(other.chars());
    let same = pairs.take_while(|(one, other)| one == other);
    same.map(|(one, _)| one.len_utf8()).sum()
}

fn now() -> LocalTime {
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds since 1970")]
    LocalTime::from_unix(Clock::unix_seconds() as i64, 0)
}

/// Sentences that follow from the question.
fn made_up(question: &str, seed: u64, choice: u32) -> String {
    let mut writer = Writer::new(seed);
    writer.read(&text::encode(question));
    writer.nudge(choice);
    let words = std::iter::repeat_with(|| writer.write(true)).take(MADE_UP_TOKENS);
    let words: Vec<u32> = words.take_while(|word| *word != EOS).collect();
    text::decode(&words)
}
