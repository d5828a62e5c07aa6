//! The form an answer must have, in OpenAI's, vLLM's and SGLang's names.

use serde_json::value::RawValue;

use super::CodecError;
use super::object::{Builder, Object};
use crate::ir::{Fields, Format, Json};

const RESPONSE: &str = "response_format";
const STRUCTURED: &str = "structured_outputs";

/// The name that a schema gets whose author gave none; engines insist on one.
const UNNAMED: &str = "schema";

/// The one form asked for, with the member that asked.
#[derive(Default)]
struct Asked(Option<(String, Format)>);

impl Asked {
    fn add(&mut self, path: String, format: Option<Format>) -> Result<(), CodecError> {
        let Some(format) = format else {
            return Ok(());
        };
        match &self.0 {
            Some((first, _)) => {
                let expected = format!("no second form of the answer beside '{first}'");
                Err(CodecError::Invalid { path, expected })
            }
            None => {
                self.0 = Some((path, format));
                Ok(())
            }
        }
    }
}

/// Takes all members that say what form the answer must have; at most one may.
pub(in crate::openai) fn take(object: &mut Object) -> Result<Format, CodecError> {
    let mut asked = Asked::default();
    let response = take_response(object)?;
    asked.add(object.path(RESPONSE), response)?;
    if let Some(mut structured) = object.take_object(STRUCTURED)? {
        take_members(&mut structured, &STRUCTURED_NAMES, &mut asked)?;
        let tag = take_json(&mut structured, "structural_tag")?;
        asked.add(
            structured.path("structural_tag"),
            tag.map(Format::StructuralTag),
        )?;
        object.put_back(STRUCTURED, &structured)?;
    }
    take_members(object, &GUIDED_NAMES, &mut asked)?;
    take_members(object, &SGLANG_NAMES, &mut asked)?;
    Ok(asked.0.map(|(_, format)| format).unwrap_or_default())
}

/// What one family calls its members.
struct Names {
    json: &'static str,
    json_object: Option<&'static str>,
    regex: &'static str,
    grammar: &'static str,
    choice: Option<&'static str>,
}

/// Inside vLLM's `structured_outputs`.
const STRUCTURED_NAMES: Names = Names {
    json: "json",
    json_object: Some("json_object"),
    regex: "regex",
    grammar: "grammar",
    choice: Some("choice"),
};

/// vLLM's older names.
const GUIDED_NAMES: Names = Names {
    json: "guided_json",
    json_object: Some("guided_json_object"),
    regex: "guided_regex",
    grammar: "guided_grammar",
    choice: Some("guided_choice"),
};

/// SGLang's.
const SGLANG_NAMES: Names = Names {
    json: "json_schema",
    json_object: None,
    regex: "regex",
    grammar: "ebnf",
    choice: None,
};

fn take_members(object: &mut Object, names: &Names, asked: &mut Asked) -> Result<(), CodecError> {
    let schema = take_schema(object, names.json)?;
    asked.add(object.path(names.json), schema.map(nameless))?;
    let regex = object.take(names.regex)?;
    asked.add(object.path(names.regex), regex.map(Format::Regex))?;
    let grammar = object.take(names.grammar)?;
    asked.add(object.path(names.grammar), grammar.map(Format::Grammar))?;
    if let Some(name) = names.json_object {
        let any = object.take_or_default::<bool>(name)?;
        asked.add(object.path(name), any.then_some(Format::JsonObject))?;
    }
    if let Some(name) = names.choice {
        let texts = object.take(name)?;
        asked.add(object.path(name), texts.map(Format::Choice))?;
    }
    Ok(())
}

fn nameless(schema: Json) -> Format {
    Format::JsonSchema {
        name: None,
        description: None,
        schema,
        strict: false,
    }
}

fn take_response(object: &mut Object) -> Result<Option<Format>, CodecError> {
    let whole = object.fields.raw(RESPONSE).map(ToOwned::to_owned);
    let Some(mut response) = object.take_object(RESPONSE)? else {
        return Ok(None);
    };
    let kind: String = response.require("type")?;
    match kind.as_str() {
        "text" => Ok(None),
        // llama.cpp and others take a schema here too.
        "json_object" => Ok(Some(
            take_schema(&mut response, "schema")?.map_or(Format::JsonObject, nameless),
        )),
        "json_schema" => take_named(&mut response).map(Some),
        "structural_tag" => {
            let raw = RawValue::from_string(whole.unwrap_or_default())?;
            Ok(Some(Format::StructuralTag(raw.into())))
        }
        _ => Err(CodecError::invalid(
            response.path("type"),
            "'text', 'json_object', 'json_schema' or 'structural_tag'",
        )),
    }
}

fn take_named(response: &mut Object) -> Result<Format, CodecError> {
    let mut named = response.require_object("json_schema")?;
    let path = named.path("schema");
    Ok(Format::JsonSchema {
        name: Some(named.take("name")?.unwrap_or_else(|| UNNAMED.to_owned())),
        description: named.take("description")?,
        schema: take_json(&mut named, "schema")?.ok_or(CodecError::Missing { path })?,
        strict: named.take_or_default("strict")?,
    })
}

fn take_json(object: &mut Object, key: &str) -> Result<Option<Json>, CodecError> {
    let raw = object.fields.take_raw(key);
    Ok(raw.filter(|raw| raw.get() != "null").map(Json::from))
}

/// A schema comes as JSON, or as a string with JSON in it.
fn take_schema(object: &mut Object, key: &str) -> Result<Option<Json>, CodecError> {
    let Some(json) = take_json(object, key)? else {
        return Ok(None);
    };
    if !json.as_str().starts_with('"') {
        return Ok(Some(json));
    }
    let inner: Result<Box<RawValue>, _> =
        serde_json::from_str::<String>(json.as_str()).and_then(RawValue::from_string);
    let path = object.path(key);
    inner
        .map(|raw| Some(Json::from(raw)))
        .map_err(|source| CodecError::Field { path, source })
}

/// Puts the form, in OpenAI's names where it has them and else in vLLM's.
pub(in crate::openai) fn put(builder: Builder, format: &Format, extra: &Fields) -> Builder {
    let inside = Builder::default();
    let structured = match format {
        Format::Text => return builder,
        Format::JsonObject => {
            let form = inside.put("type", "json_object").extra(&Fields::new());
            return builder.put(RESPONSE, &form);
        }
        Format::JsonSchema {
            name: None,
            description: None,
            strict: false,
            schema,
        } => inside.put("json", schema),
        Format::JsonSchema { .. } => return builder.put(RESPONSE, &named(format)),
        Format::StructuralTag(tag) if !tag.as_str().starts_with('"') => {
            return builder.put(RESPONSE, tag);
        }
        Format::StructuralTag(tag) => inside.put("structural_tag", tag),
        Format::Regex(regex) => inside.put("regex", regex),
        Format::Grammar(grammar) => inside.put("grammar", grammar),
        Format::Choice(texts) => inside.put("choice", texts),
    };
    builder.put_merged(STRUCTURED, structured, extra)
}

fn named(format: &Format) -> Fields {
    let Format::JsonSchema {
        name,
        description,
        schema,
        strict,
    } = format
    else {
        return Fields::new();
    };
    let inner = Builder::default()
        .put("name", name.as_deref().unwrap_or(UNNAMED))
        .put_some("description", description.as_ref())
        .put("schema", schema)
        .put_flag("strict", *strict)
        .extra(&Fields::new());
    Builder::default()
        .put("type", "json_schema")
        .put("json_schema", &inner)
        .extra(&Fields::new())
}
