//! What is asked: the same prompt, another number in front of it each time.

use std::sync::Arc;

use anyhow::Result;
use gateway_benches::{Model, Prose};
use gateway_proto::engines::transfer::{Connector, LegEdit};
use gateway_proto::engines::{TokenCall, TokenWire};
use gateway_proto::text::model::TextModel;
use serde_json::{Value, json};

/// Bytes of a prompt.
pub(crate) const PROMPT_BYTES: usize = 4_096;
/// Tokens of an answer.
const ANSWER_TOKENS: u64 = 8;

/// How the gateway talks to engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// In OpenAI's words.
    Text,
    /// By token ids.
    Tokens,
}

impl Way {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Text, Self::Tokens];

    /// The models that are served so: by one engine, and by a pair.
    pub(crate) fn models(self) -> [&'static str; 2] {
        match self {
            Self::Text => ["whole-text", "split-text"],
            Self::Tokens => ["whole-tokens", "split-tokens"],
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Tokens => "tokens",
        }
    }
}

/// A request: where to, and what.
pub(crate) struct Asked {
    /// Method and path.
    pub(crate) line: String,
    /// JSON.
    pub(crate) body: Vec<u8>,
}

/// A prompt, by text and by tokens.
#[derive(Default)]
pub(crate) struct Prompt {
    /// No two requests have the same.
    pub(crate) number: u64,
    text: String,
    ids: Arc<[u32]>,
}

/// Writes requests.
pub(crate) struct Questions {
    connector: Connector,
    prose: String,
    model: TextModel,
}

impl Questions {
    /// For the engines of a connector.
    pub(crate) fn new(connector: Connector) -> Self {
        Self {
            connector,
            prose: Prose::new(3).text(PROMPT_BYTES),
            model: Model::Small.load(),
        }
    }

    /// The prompt with that number in front.
    ///
    /// # Errors
    /// It cannot be encoded.
    pub(crate) fn prompt(&self, number: u64) -> Result<Prompt> {
        let text = format!("{number}. {}", self.prose);
        let ids = self.model.tokenizer().encode(&text, false)?.into();
        Ok(Prompt { number, text, ids })
    }

    /// As callers write it.
    pub(crate) fn by_text(&self, model: &str, prompt: &Prompt) -> Asked {
        let prompt = prompt.text.as_str();
        let mut body =
            json!({"model": model, "stream": true, "max_tokens": ANSWER_TOKENS, "temperature": 0});
        // The simulated TensorRT-LLM hands over completions alone.
        let path = if self.connector == Connector::TrtLlm {
            body["prompt"] = prompt.into();
            "completions"
        } else {
            body["messages"] = json!([{"role": "user", "content": prompt}]);
            "chat/completions"
        };
        Asked {
            line: format!("POST /v1/{path}"),
            body: body.to_string().into_bytes(),
        }
    }

    /// As the gateway writes it for engines in its stead, for the first token alone where that is all that is wanted.
    ///
    /// # Errors
    /// The engine has no words for it.
    pub(crate) fn to_engine(
        &self,
        way: Way,
        model: &str,
        prompt: &Prompt,
        leg: &LegEdit,
    ) -> Result<Asked> {
        let (line, body, edit) = match way {
            Way::Text => {
                let Asked { line, body } = self.by_text(model, prompt);
                let is_chat = line.ends_with("chat/completions");
                (line, body, leg.clone().for_text(is_chat))
            }
            Way::Tokens => {
                let wire = self.wire();
                let most = if leg.is_one_token() { 1 } else { ANSWER_TOKENS };
                let call = TokenCall::new(model, Arc::clone(&prompt.ids), most);
                let body = wire.encode(&call)?.to_vec();
                (format!("POST {}", wire.path()), body, leg.clone())
            }
        };
        Ok(Asked {
            line,
            body: edit.apply(&body)?.to_vec(),
        })
    }

    fn wire(&self) -> TokenWire {
        match self.connector {
            Connector::TrtLlm => TokenWire::TrtllmCompletions,
            Connector::Sglang => TokenWire::SglangGenerate,
            _ => TokenWire::VllmGenerate,
        }
    }
}

/// Whether a reply has come to its first token, in the words of any engine and of the gateway.
pub(crate) fn has_content(reply: &[u8]) -> bool {
    const BEFORE: [&str; 4] = [
        "\"content\":\"",
        "\"text\":\"",
        "\"token_ids\":[",
        "\"output_ids\":[",
    ];
    let reply = String::from_utf8_lossy(reply);
    BEFORE.iter().any(|before| {
        let mut places = reply.match_indices(before);
        places.any(|(at, _)| {
            let next = reply.as_bytes().get(at + before.len());
            next.is_some_and(|next| !matches!(next, b'"' | b']'))
        })
    })
}

/// A reply's member, where it has one.
pub(crate) fn error_in(body: &[u8]) -> bool {
    let events = body.split(|byte| *byte == b'\n');
    let data = events.filter_map(|line| line.strip_prefix(b"data: "));
    data.filter_map(|data| serde_json::from_slice::<Value>(data).ok())
        .any(|event| event.get("error").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_there_when_the_first_of_it_is() {
        for empty in [
            r#"{"delta":{"role":"assistant","content":""}}"#,
            r#"{"text":"","token_ids":[]}"#,
            r#"{"prompt_token_ids":[1,2]}"#,
            r#"{"delta":{"content":""#,
        ] {
            assert!(!has_content(empty.as_bytes()), "{empty}");
        }
        for full in [
            r#"{"delta":{"content":""}}{"delta":{"content":"a"#,
            r#"{"text":"","output_ids":[7"#,
        ] {
            assert!(has_content(full.as_bytes()), "{full}");
        }
    }

    #[test]
    fn errors_are_found_in_streams() {
        assert!(error_in(
            b"data: {\"text\":\"a\"}\n\ndata: {\"error\":{\"code\":500}}\n\n"
        ));
        assert!(!error_in(b"data: {\"text\":\"error\"}\n\ndata: [DONE]\n\n"));
    }
}
