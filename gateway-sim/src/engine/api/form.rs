//! Answers of a form that the request asks for.

use gateway_proto::text::parse::{ParserSpec, Piece, Tags};
use serde_json::{Value, json};

use super::fields::Fields;
use super::invent::invent;
use crate::engine::error::ApiError;
use crate::text::{ModelVoice, Voice, Writer};

/// What an answer has to look like.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Form {
    kind: Kind,
    /// Whether reasoning may come before it, as where the engine itself tells reasoning from content.
    pub(super) allows_reasoning: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// JSON that fits a schema.
    Schema(Value),
    /// One of these texts.
    Choice(Vec<String>),
}

impl Form {
    /// The form that a request's fields ask for in vLLM's words, OpenAI's or `SGLang`'s.
    pub(super) fn read(fields: Fields<'_>) -> Result<Option<Self>, ApiError> {
        let nested = fields.nested("structured_outputs")?;
        let kind = match (nested, fields.get("response_format")) {
            (Some(asked), _) => structured(asked)?,
            (None, Some(format)) => response_format(format)?,
            (None, None) => structured_flat(fields)?,
        };
        Ok(kind.map(|kind| Self {
            kind,
            allows_reasoning: false,
        }))
    }

    /// An answer of this form: what the script says where that fits, else a made-up one.
    pub(super) fn answer(&self, voice: &Voice, prompt: &[u32], seed: u64) -> Vec<u32> {
        match voice {
            Voice::Plain => {
                let mut writer = Writer::new(seed);
                writer.read(prompt);
                voice.encode(&self.made_up(&mut writer))
            }
            Voice::Model(model) => model.answer_as(prompt, |question, scripted| {
                let fitting = scripted.and_then(|reply| self.fitting(&reply, model));
                fitting.unwrap_or_else(|| {
                    let mut writer = Writer::new(seed);
                    writer.read(&crate::text::encode(question));
                    self.made_up(&mut writer)
                })
            }),
        }
    }

    fn made_up(&self, writer: &mut Writer) -> String {
        match &self.kind {
            Kind::Schema(schema) => invent(schema, writer).to_string(),
            Kind::Choice(options) => {
                let draw = writer.draw(options.len() as u64) % options.len() as u64;
                options[usize::try_from(draw).unwrap_or(0)].clone()
            }
        }
    }

    /// What of a scripted reply is of this form.
    fn fitting(&self, reply: &str, model: &ModelVoice) -> Option<String> {
        let tags = model.tags();
        let content = content(reply, tags);
        if self.fits(content.trim()) {
            let kept = if self.allows_reasoning {
                reply
            } else {
                content
            };
            return Some(kept.to_owned());
        }
        let wants_calls = matches!(&self.kind, Kind::Schema(schema) if schema["type"] == "array");
        wants_calls.then(|| calls(reply, &model.parser_of_calls()))?
    }

    fn fits(&self, content: &str) -> bool {
        match &self.kind {
            Kind::Schema(_) => serde_json::from_str::<Value>(content).is_ok(),
            Kind::Choice(options) => options.iter().any(|option| option == content),
        }
    }
}

/// What follows reasoning.
fn content<'a>(reply: &'a str, tags: Option<&Tags>) -> &'a str {
    let closed = tags.and_then(|tags| reply.split_once(tags.close()));
    closed.map_or(reply, |(_, content)| content.trim_start())
}

/// The calls of a reply as the list that engines enforce where a call is forced.
fn calls(reply: &str, spec: &ParserSpec) -> Option<String> {
    let (mut parser, mut pieces) = (spec.build(), Vec::new());
    parser.push(reply, &mut pieces);
    parser.finish(&mut pieces);
    let mut calls: Vec<(String, String)> = Vec::new();
    for piece in pieces {
        match (piece, calls.last_mut()) {
            (Piece::CallStart { name, .. }, _) => calls.push((name, String::new())),
            (Piece::CallArguments(text), Some((_, arguments))) => arguments.push_str(&text),
            _ => {}
        }
    }
    let call = |(name, arguments): (String, String)| {
        let parameters: Value = serde_json::from_str(&arguments).ok()?;
        Some(json!({"name": name, "parameters": parameters}))
    };
    let list = calls.into_iter().map(call).collect::<Option<Vec<_>>>()?;
    (!list.is_empty()).then(|| Value::Array(list).to_string())
}

/// vLLM's `structured_outputs`.
fn structured(asked: Fields<'_>) -> Result<Option<Kind>, ApiError> {
    if let Some(schema) = asked.get("json") {
        return schema_of(asked, "json", schema).map(Some);
    }
    if asked.boolean("json_object")? {
        return Ok(Some(Kind::Schema(any_object())));
    }
    let choice = choice(asked)?;
    match choice {
        Some(_) => Ok(choice),
        None => refuse(asked, &["regex", "grammar", "structural_tag"]).map(|()| None),
    }
}

/// `SGLang`'s members of the sampling parameters.
fn structured_flat(fields: Fields<'_>) -> Result<Option<Kind>, ApiError> {
    if let Some(schema) = fields.get("json_schema") {
        return schema_of(fields, "json_schema", schema).map(Some);
    }
    let choice = choice(fields)?;
    match choice {
        Some(_) => Ok(choice),
        None => refuse(fields, &["regex", "ebnf", "structural_tag"]).map(|()| None),
    }
}

fn response_format(format: &Value) -> Result<Option<Kind>, ApiError> {
    match format.get("type").and_then(Value::as_str) {
        Some("text") => Ok(None),
        Some("json_object") => Ok(Some(Kind::Schema(any_object()))),
        Some("json_schema") => {
            let schema = format.pointer("/json_schema/schema").cloned();
            Ok(Some(Kind::Schema(schema.unwrap_or_else(any_object))))
        }
        _ => Err(not_simulated("response_format")),
    }
}

/// A schema, as JSON or as its text.
fn schema_of(fields: Fields<'_>, name: &str, schema: &Value) -> Result<Kind, ApiError> {
    let Value::String(text) = schema else {
        return Ok(Kind::Schema(schema.clone()));
    };
    let wrong = |_| {
        fields.wrong(
            "json_invalid",
            name,
            "Input should be a JSON schema",
            schema,
        )
    };
    serde_json::from_str(text).map(Kind::Schema).map_err(wrong)
}

fn choice(fields: Fields<'_>) -> Result<Option<Kind>, ApiError> {
    let options = fields.strings("choice")?;
    Ok((!options.is_empty()).then_some(Kind::Choice(options)))
}

fn refuse(fields: Fields<'_>, names: &[&str]) -> Result<(), ApiError> {
    match names.iter().find(|name| fields.get(name).is_some()) {
        Some(name) => Err(not_simulated(name)),
        None => Ok(()),
    }
}

fn not_simulated(name: &str) -> ApiError {
    ApiError::bad_request(name, format!("`{name}` is not simulated"))
}

fn any_object() -> Value {
    json!({"type": "object", "properties": {"answer": {"type": "string"}}})
}
