//! Text Generation Inference's `/generate` and `/generate_stream`, and MindIE's routes of the same kind: text in, and with
//! MindIE tokens too.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::answer::{Dialect, Piece};
use super::fields::Fields;
use super::job::{Ask, Choice, Ending, Job, Usage};
use super::logprobs::Asked;
use super::parameters::{self, Names};
use super::plan::Finish;
use super::sampling::{self, Delivery, Sampling};
use crate::engine::error::ApiError;
use crate::text::Voice;

/// Both engines' parameters.
const PARAMETERS: Names = &[
    ("max_new_tokens", "max_tokens"),
    ("temperature", "temperature"),
    ("top_p", "top_p"),
    ("seed", "seed"),
    ("stop", "stop"),
];

/// MindIE's limit of an answer, which is its default too (`maxIterTimes`).
const MINDIE_MOST_TOKENS: u64 = 512;

/// Which of the routes it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Style {
    /// TGI's; the body says whether it streams, as on `/`.
    Root,
    /// TGI's `/generate`.
    Whole,
    /// TGI's `/generate_stream`.
    Stream,
    /// MindIE's `/infer`.
    Infer,
    /// MindIE's `/infer_token`.
    InferToken,
}

impl Style {
    const fn is_mindie(self) -> bool {
        matches!(self, Self::Infer | Self::InferToken)
    }
}

struct Generate {
    style: Style,
    has_details: bool,
    seed: u64,
}

pub(super) fn read(
    fields: Fields<'_>,
    style: Style,
    max_n: u32,
    voice: &Voice,
) -> Result<Ask, ApiError> {
    let prompt = match style {
        Style::InferToken => {
            fields.required("input_id")?;
            sampling::token_ids(fields, "input_id")?.unwrap_or_default()
        }
        _ => {
            fields.required("inputs")?;
            voice.encode(fields.string("inputs")?.unwrap_or_default())
        }
    };
    let given = fields.nested("parameters")?;
    let mut known = parameters::renamed(fields.get("parameters"), PARAMETERS);
    let flag = |name| given.map_or(Ok(false), |given| given.boolean(name));
    // Who asks for neither samples nor a temperature gets the likeliest token.
    if !flag("do_sample")? {
        known.entry("temperature").or_insert(json!(0.0));
    }
    if style.is_mindie() {
        limit(&mut known);
    }
    let known = Value::Object(known);
    let sampling = Sampling::read(Fields::of_body(&known)?, None, max_n)?;
    Ok(Ask {
        dialect: Box::new(Generate {
            style,
            has_details: flag("details")?,
            seed: sampling.seed,
        }),
        prompts: vec![prompt],
        sampling,
        delivery: Delivery {
            streams: match style {
                Style::Whole => false,
                Style::Stream => true,
                _ => fields.boolean("stream")?,
            },
            logprobs: (!style.is_mindie()).then(Asked::default),
            ..Delivery::default()
        },
        tool: None,
        parser: None,
        request_id: None,
    })
}

fn limit(known: &mut Map<String, Value>) {
    let asked = known.get("max_tokens").and_then(Value::as_u64);
    if asked.is_none_or(|asked| asked > MINDIE_MOST_TOKENS) {
        known.insert("max_tokens".to_owned(), MINDIE_MOST_TOKENS.into());
    }
}

fn reason(finish: &Finish) -> &'static str {
    match finish {
        Finish::End | Finish::ToolCalls | Finish::StopToken(_) => "eos_token",
        Finish::StopText(_) | Finish::Recomputed => "stop_sequence",
        Finish::Length => "length",
        Finish::Abort => "abort",
    }
}

impl Generate {
    fn details(&self, choice: &Choice, ending: &Ending) -> Value {
        let ids = &choice.plan.tokens[..ending.tokens];
        let mut details = json!({
            "finish_reason": reason(&ending.finish),
            "generated_tokens": ending.tokens,
            "seed": self.seed,
        });
        if self.style.is_mindie() {
            details["generated_token_ids"] = json!(ids);
            return details;
        }
        details["prefill"] = json!([]);
        details["tokens"] = (0..ending.tokens).map(|at| token(choice, at)).collect();
        details
    }
}

/// One token as TGI tells it.
fn token(choice: &Choice, at: usize) -> Value {
    let id = choice.plan.tokens[at];
    let text = choice.plan.text(at..at + 1);
    let logprob = choice
        .logprobs
        .get(at)
        .map(|position| position.token().logprob);
    json!({"id": id, "text": text, "logprob": logprob.unwrap_or(0.0), "special": text.is_empty()})
}

impl Dialect for Generate {
    fn id_prefix(&self) -> &'static str {
        ""
    }

    fn opening(&self, _: &Job, _: usize) -> Option<Value> {
        None
    }

    fn piece(&self, job: &Job, piece: &Piece) -> Option<Value> {
        let choice = &job.choices[piece.choice];
        let ids = &choice.plan.tokens[piece.tokens.clone()];
        let mut event = if self.style.is_mindie() {
            let text = choice.plan.text(piece.tokens.clone());
            json!({"prefill_time": null, "decode_time": null, "token": {"id": ids, "text": text}})
        } else {
            // A piece without a token only tells the end; it repeats the last one.
            let at = piece.tokens.end.max(1) - 1;
            json!({"index": at + 1, "token": token(choice, at), "generated_text": null, "details": null})
        };
        if let Some(finish) = &piece.finish {
            let ending = Ending {
                tokens: piece.tokens.end,
                finish: finish.clone(),
            };
            event["generated_text"] = choice.plan.text(0..piece.tokens.end).into();
            event["details"] = json!({"finish_reason": reason(finish), "generated_tokens": ending.tokens,
                "seed": self.seed});
            if self.style.is_mindie() && self.has_details {
                event["details"] = self.details(choice, &ending);
            }
        }
        Some(event)
    }

    /// Never asked for on these routes: they have no such event.
    fn usage_chunk(&self, _: &Job, usage: Usage) -> Value {
        usage.to_json(false)
    }

    fn frame(&self, data: &Value) -> Bytes {
        match self.style.is_mindie() {
            true => Bytes::from(format!("data: {data}\n\n")),
            false => Bytes::from(format!("data:{data}\n\n")),
        }
    }

    fn closing(&self) -> &'static [u8] {
        b""
    }

    fn whole(&self, job: &Job, endings: &[Ending], _: Usage) -> Value {
        let (choice, ending) = (&job.choices[0], &endings[0]);
        let mut reply = json!({"generated_text": choice.plan.text(0..ending.tokens)});
        if self.has_details {
            reply["details"] = self.details(choice, ending);
        }
        reply
    }
}
