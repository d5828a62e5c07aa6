//! Sampling, thinking, the form of the answer, and who asks.

use crate::anthropic::read::{Node, Object};
use crate::dialect::DialectError;
use crate::ir::{Fields, Format, Json, Reasoning, Request, Sampling};
use crate::openai::JsonKind;

/// The least `thinking.budget_tokens`.
const LEAST_BUDGET: u64 = 1_024;

/// Reads what the sampler is told, `max_tokens` aside.
pub(super) fn sampling(object: &mut Object<'_, '_>) -> Result<Sampling, DialectError> {
    let mut share = |key| object.take(key).map(|node| node.within(0.0..=1.0));
    let (temperature, top_p) = (share("temperature"), share("top_p"));
    let top_k = object.take("top_k").map(|node| top_k(&node));
    Ok(Sampling {
        temperature: temperature.transpose()?,
        top_p: top_p.transpose()?,
        top_k: top_k.transpose()?,
        ..Sampling::default()
    })
}

fn top_k(node: &Node<'_, '_>) -> Result<i64, DialectError> {
    i64::try_from(node.at_least(0)?).map_err(|_| node.expected("an integer of 63 bits"))
}

/// Reads `stop_sequences`.
pub(super) fn stops(object: &mut Object<'_, '_>) -> Result<Vec<String>, DialectError> {
    let Some(list) = object.take("stop_sequences") else {
        return Ok(Vec::new());
    };
    list.elements()?.map(|stop| stop.filled()).collect()
}

/// Reads `thinking`. `adaptive` leaves it to the model, as does silence.
pub(super) fn reasoning(
    object: &mut Object<'_, '_>,
    max_tokens: Option<u64>,
) -> Result<Reasoning, DialectError> {
    let Some(node) = object.take("thinking") else {
        return Ok(Reasoning::default());
    };
    let mut thinking = node.object()?;
    let (enabled, budget_tokens) = match &*thinking.tag()? {
        "enabled" => {
            let budget = thinking.require("budget_tokens")?;
            (Some(true), Some(self::budget(&budget, max_tokens)?))
        }
        "disabled" => (Some(false), None),
        "adaptive" => (None, None),
        other => {
            let problem = format!("'{other}' is not one of 'enabled', 'disabled' and 'adaptive'");
            return Err(node.fault(problem).with_code("invalid_value"));
        }
    };
    Ok(Reasoning {
        enabled,
        budget_tokens,
        effort: None,
    })
}

fn budget(node: &Node<'_, '_>, max_tokens: Option<u64>) -> Result<u64, DialectError> {
    let budget = node.at_least(LEAST_BUDGET)?;
    match max_tokens {
        Some(most) if budget >= most => Err(node
            .fault(format!("must be less than max_tokens, which is {most}"))
            .with_code("invalid_value")),
        _ => Ok(budget),
    }
}

/// Reads `output_config`, and `output_format` as it was called before.
pub(super) fn take_output(
    object: &mut Object<'_, '_>,
    request: &mut Request,
) -> Result<(), DialectError> {
    if let Some(older) = object.take("output_format") {
        request.format = format(&older)?;
    }
    let Some(node) = object.take("output_config") else {
        return Ok(());
    };
    let mut config = node.object()?;
    if let Some(effort) = config.take("effort") {
        request.reasoning.effort = Some(effort.filled()?);
    }
    if let Some(newer) = config.take("format") {
        request.format = format(&newer)?;
    }
    let rest = config.rest();
    if !rest.is_empty() {
        put(&mut request.extra, "output_config", &rest);
    }
    Ok(())
}

fn format(node: &Node<'_, '_>) -> Result<Format, DialectError> {
    let mut format = node.object()?;
    let tag = format.tag()?;
    if tag != "json_schema" {
        let problem = format!("'{tag}' is no output format; 'json_schema' is");
        return Err(node.fault(problem).with_code("invalid_value"));
    }
    let schema = format.require("schema")?;
    if schema.kind() != JsonKind::Object {
        return Err(schema.expected("a JSON schema, which is an object"));
    }
    Ok(Format::JsonSchema {
        name: None,
        description: None,
        schema: Json::from(schema.to_raw()),
        strict: true,
    })
}

/// MCP servers would have to be called in the midst of an answer, by whoever runs the model.
pub(super) fn refuse_servers(object: &mut Object<'_, '_>) -> Result<(), DialectError> {
    let Some(servers) = object.take("mcp_servers") else {
        return Ok(());
    };
    if servers.elements()?.next().is_none() {
        return Ok(());
    }
    let problem = "remote MCP servers are not supported here; offer their tools in 'tools'";
    Err(servers.fault(problem).with_code("unsupported_value"))
}

/// A conversation that the server keeps would have to be kept here. The code is the one on which clients go on by sending
/// all of it themselves; to answer as if nothing had been asked would lose what was said before.
pub(super) fn refuse_thread(object: &mut Object<'_, '_>) -> Result<(), DialectError> {
    let Some(thread) = object.take("thread") else {
        return Ok(());
    };
    let problem = "conversations are not kept here; send all messages and leave out 'thread'";
    Err(thread
        .fault(problem)
        .with_code("thread_unsupported_request"))
}

/// Reads `metadata`: who asks, under OpenAI's name `user`, and what else it says.
pub(super) fn take_user(object: &mut Object<'_, '_>) -> Result<Fields, DialectError> {
    let mut fields = Fields::new();
    let Some(node) = object.take("metadata") else {
        return Ok(fields);
    };
    let mut metadata = node.object()?;
    if let Some(user) = metadata.take("user_id") {
        put(&mut fields, "user", &user.string()?);
    }
    let rest = metadata.rest();
    if !rest.is_empty() {
        put(&mut fields, "metadata", &rest);
    }
    Ok(fields)
}

fn put<T: serde::Serialize + ?Sized>(fields: &mut Fields, key: &str, value: &T) {
    fields.put(key, value).expect("plain data serialises");
}
