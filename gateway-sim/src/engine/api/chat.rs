//! `/v1/chat/completions`.

use gateway_proto::ir::Request;
use gateway_proto::openai;
use serde_json::{Value, json};

use super::answer::{Dialect, FINGERPRINT, Piece};
use super::fields::Fields;
use super::job::{Ask, Choice, Ending, Job, Usage};
use super::logprobs::{self, Asked};
use super::plan::Finish;
use super::reading;
use super::sampling::{Delivery, Sampling};
use super::tools::{self, ToolCall};
use crate::engine::error::ApiError;
use crate::text::{ModelVoice, Turn, Voice, encode, render};

struct Chat;

pub(super) fn read(fields: Fields<'_>, max_n: u32, voice: &Voice) -> Result<Ask, ApiError> {
    let sampling = Sampling::read(fields, None, max_n)?;
    let mut delivery = Delivery::read(fields)?;
    if fields.boolean("logprobs")? {
        let top = Asked::read(fields, "top_logprobs")?;
        delivery.logprobs = Some(top.unwrap_or_default());
    }
    let turns = turns(fields)?;
    let tool = tools::chosen(fields, &turns)?;
    let mut ask = Ask {
        dialect: Box::new(Chat),
        prompts: Vec::new(),
        sampling,
        delivery,
        tool,
        parser: None,
        request_id: None,
    };
    match voice {
        Voice::Plain => {
            let announced = tools::announcement(fields)?;
            let chat: Vec<Turn> = announced.into_iter().chain(turns).collect();
            let continues = fields.boolean("continue_final_message")?;
            ask.prompts.push(plain_prompt(chat, continues));
        }
        Voice::Model(model) => {
            let (request, prompt) = rendered(model, fields)?;
            if let Some(form) = &mut ask.sampling.form {
                form.allows_reasoning = true;
            }
            let parser = model.parser_of(&request, &prompt);
            let scripted = model.scripted(&prompt);
            let is_forced = request.tool_choice.is_forced();
            // What the script says stands, unless a call is forced that it does not make.
            ask.tool = ask.tool.filter(|_| match scripted {
                None => true,
                Some(reply) => is_forced && !reading::has_calls(&reply, &parser),
            });
            ask.parser = Some(parser);
            ask.prompts.push(prompt);
        }
    }
    Ok(ask)
}

/// The chat as one prompt; with `continues`, the last turn is the answer's beginning where it is the assistant's.
fn plain_prompt(mut chat: Vec<Turn>, continues: bool) -> Vec<u32> {
    let begun = chat.pop_if(|turn| continues && turn.role == "assistant");
    let mut prompt = render(&chat, true);
    prompt.extend(begun.iter().flat_map(|turn| encode(&turn.content)));
    prompt
}

/// The chat as the model's own template writes it.
pub(super) fn rendered(
    model: &ModelVoice,
    fields: Fields<'_>,
) -> Result<(Request, Vec<u32>), ApiError> {
    let refused =
        |error: &dyn std::fmt::Display| ApiError::bad_request("messages", error.to_string());
    let body = fields.to_json();
    let request = openai::chat::decode_request(&body).map_err(|error| refused(&error))?;
    let prompt = model.render(&request).map_err(|error| refused(&error))?;
    Ok((request, prompt))
}

/// The turns of a chat, as text.
pub(super) fn turns(fields: Fields<'_>) -> Result<Vec<Turn>, ApiError> {
    let messages = fields.required("messages")?;
    let Value::Array(messages) = messages else {
        return Err(fields.wrong(
            "list_type",
            "messages",
            "Input should be a valid list",
            messages,
        ));
    };
    if messages.is_empty() {
        return Err(ApiError::bad_request(
            "messages",
            "messages must not be empty. (parameter=messages)",
        ));
    }
    messages
        .iter()
        .map(|message| {
            let role = message.get("role").and_then(Value::as_str).ok_or_else(|| {
                fields.wrong("missing", "messages", "Every message needs a role", message)
            })?;
            let mut content = message.get("content").map(text_of).unwrap_or_default();
            if let Some(calls) = message.get("tool_calls").filter(|calls| !calls.is_null()) {
                content.push_str(&calls.to_string());
            }
            Ok(Turn {
                role: role.to_owned(),
                content,
            })
        })
        .collect()
}

/// The text of a content: a string, or parts, of which those that are not text are named.
fn text_of(content: &Value) -> String {
    let part = |part: &Value| match part.get("text").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => format!(
            "<{}>",
            part.get("type").and_then(Value::as_str).unwrap_or("part")
        ),
    };
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(part).collect(),
        _ => String::new(),
    }
}

impl Chat {
    fn chunk(job: &Job, choices: &Value) -> Value {
        json!({
            "id": job.id,
            "object": "chat.completion.chunk",
            "created": job.created_unix_seconds,
            "model": job.model,
            "choices": choices,
        })
    }
}

impl Dialect for Chat {
    fn id_prefix(&self) -> &'static str {
        "chatcmpl-"
    }

    fn opening(&self, job: &Job, choice: usize) -> Option<Value> {
        let delta = json!({"role": "assistant", "content": ""});
        let choices =
            json!([{"index": choice, "delta": delta, "logprobs": null, "finish_reason": null}]);
        let mut chunk = Self::chunk(job, &choices);
        chunk["prompt_token_ids"] = match job.delivery.returns_token_ids {
            true => json!(job.prompts[0][..]),
            false => Value::Null,
        };
        Some(chunk)
    }

    fn piece(&self, job: &Job, piece: &Piece) -> Option<Value> {
        let Choice { plan, reading, .. } = &job.choices[piece.choice];
        let delta = match reading {
            None => delta(job, plan.text(piece.tokens.clone()), piece),
            Some(reading) => {
                let delta = reading.delta(
                    piece.tokens.clone(),
                    job.flavour.reasoning_field(),
                    call_ids(job, piece.choice),
                );
                let is_told = piece.finish.is_some() || job.delivery.returns_token_ids;
                if delta.is_empty() && !is_told {
                    return None;
                }
                Value::Object(delta)
            }
        };
        let logprobs = logprobs(job, piece);
        let mut choice = json!({"index": piece.choice, "delta": delta, "logprobs": logprobs, "finish_reason": null});
        if let Some(finish) = &piece.finish {
            choice["finish_reason"] = finish.reason().into();
            choice["stop_reason"] = finish.stop_reason();
        }
        choice["token_ids"] = match job.delivery.returns_token_ids {
            true => json!(plan.tokens[piece.tokens.clone()]),
            false => Value::Null,
        };
        let mut chunk = Self::chunk(job, &json!([choice]));
        if piece.finish.is_some() && !job.delivery.includes_usage {
            chunk["system_fingerprint"] = FINGERPRINT.into();
        }
        Some(chunk)
    }

    fn usage_chunk(&self, job: &Job, usage: Usage) -> Value {
        let mut chunk = Self::chunk(job, &json!([]));
        chunk["usage"] = usage.to_json(true);
        chunk["system_fingerprint"] = FINGERPRINT.into();
        chunk
    }

    fn whole(&self, job: &Job, endings: &[Ending], usage: Usage) -> Value {
        let choices: Vec<Value> = endings
            .iter()
            .enumerate()
            .map(|(index, ending)| whole_choice(job, index, ending))
            .collect();
        json!({
            "id": job.id,
            "object": "chat.completion",
            "created": job.created_unix_seconds,
            "model": job.model,
            "choices": choices,
            "service_tier": null,
            "system_fingerprint": FINGERPRINT,
            "usage": usage.to_json(true),
            "prompt_logprobs": null,
            "prompt_token_ids": job.delivery.returns_token_ids.then(|| json!(job.prompts[0][..])),
            "kv_transfer_params": job.handoff,
        })
    }
}

/// What a piece adds to an answer that is not split.
fn delta(job: &Job, text: &str, piece: &Piece) -> Value {
    match &job.tool {
        None => json!({"content": text}),
        Some(_) if text.is_empty() => json!({}),
        Some(tool) if piece.tokens.start == 0 => {
            let function = json!({"name": tool.name, "arguments": text});
            let call = json!({"id": tool.id(&job.id), "type": "function", "index": 0, "function": function});
            json!({"content": null, "tool_calls": [call]})
        }
        Some(_) => json!({"tool_calls": [{"index": 0, "function": {"arguments": text}}]}),
    }
}

fn logprobs(job: &Job, piece: &Piece) -> Option<Value> {
    let positions = &job.choices[piece.choice].logprobs[..];
    let asked = job.delivery.logprobs?;
    Some(logprobs::of_chat(&positions[piece.tokens.clone()], asked))
}

/// Names the calls of a choice that the model gives no names.
fn call_ids(job: &Job, choice: usize) -> impl Fn(usize) -> String {
    let answer = tools::call_id(&job.id);
    move |call| match choice {
        0 => format!("{answer}-{call}"),
        _ => format!("{answer}-{choice}-{call}"),
    }
}

fn whole_choice(job: &Job, index: usize, ending: &Ending) -> Value {
    let Choice { plan, reading, .. } = &job.choices[index];
    let message = match reading {
        Some(reading) => reading.message(
            ending.tokens,
            job.flavour.reasoning_field(),
            call_ids(job, index),
        ),
        None => whole_message(job, plan.text(0..ending.tokens), ending),
    };
    json!({
        "index": index,
        "message": message,
        "logprobs": logprobs(job, &Piece::whole(index, ending)),
        "finish_reason": ending.finish.reason(),
        "stop_reason": ending.finish.stop_reason(),
        "token_ids": job.delivery.returns_token_ids.then(|| json!(plan.tokens[..ending.tokens])),
    })
}

/// The message of an answer that is not split.
fn whole_message(job: &Job, text: &str, ending: &Ending) -> Value {
    let mut message = json!({
        "role": "assistant",
        "content": text,
        "refusal": null,
        "annotations": null,
        "audio": null,
        "function_call": null,
        "reasoning": null,
    });
    if let Some(tool) = &job.tool {
        whole_tool_call(job, tool, ending, text, &mut message);
    }
    message
}

/// A complete call goes into `tool_calls`; one that was cut stays raw text, as with vLLM.
fn whole_tool_call(job: &Job, tool: &ToolCall, ending: &Ending, text: &str, message: &mut Value) {
    if ending.finish == Finish::ToolCalls {
        message["content"] = Value::Null;
        let function = json!({"name": tool.name, "arguments": text});
        message["tool_calls"] =
            json!([{"id": tool.id(&job.id), "type": "function", "function": function}]);
    } else {
        let name = json!(tool.name).to_string();
        let raw = [
            "<tool_call>\u{7b}\"name\": ",
            &name,
            ", \"arguments\": ",
            text,
        ]
        .concat();
        message["content"] = raw.into();
    }
}
