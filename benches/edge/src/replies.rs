//! The same answer, by text and by tokens, as vLLM writes it.

use gateway_benches::Prose;
use gateway_proto::text::model::TextModel;
use serde_json::json;

/// Both forms of one answer.
#[derive(Clone)]
pub(crate) struct Replies {
    /// What it says.
    pub(crate) text: String,
    /// On the chat route.
    pub(crate) by_text: Reply,
    /// On the route of tokens.
    pub(crate) by_tokens: Reply,
}

/// One answer on one route.
#[derive(Clone)]
pub(crate) struct Reply {
    /// The body where it is not streamed.
    pub(crate) whole: String,
    /// Events, framed for the transfer coding.
    pub(crate) events: Vec<Vec<u8>>,
}

impl Replies {
    /// An answer of so many tokens.
    pub(crate) fn new(model: &TextModel, tokens: usize) -> Self {
        let said = Prose::new(6).text(16 * tokens + 64);
        let mut ids = model
            .tokenizer()
            .encode(&said, false)
            .expect("prose can be encoded");
        ids.truncate(tokens);
        let words: Vec<String> = words(model, &ids);
        let text = words.concat();
        ids.push(model.ends()[0]);
        Self {
            by_text: by_text(&words, &text),
            by_tokens: by_tokens(&ids),
            text,
        }
    }
}

/// The text of each token; prose is ASCII, so that none is split.
fn words(model: &TextModel, ids: &[u32]) -> Vec<String> {
    let word = |id: &u32| model.tokenizer().bytes_of(*id).map(String::from_utf8_lossy);
    ids.iter().filter_map(word).map(Into::into).collect()
}

fn by_text(words: &[String], text: &str) -> Reply {
    let id = "chatcmpl-9d3fde659e1f2b5a";
    let usage = json!({"prompt_tokens": 6000, "completion_tokens": words.len(), "total_tokens": 6000 + words.len()});
    let chunk = |choices: serde_json::Value| json!({"id": id, "object": "chat.completion.chunk", "created": 1_795_231_230, "model": "m", "choices": choices});
    let said = |word: &String| {
        chunk(
            json!([{"index": 0, "delta": {"content": word}, "logprobs": null, "finish_reason": null}]),
        )
    };
    let mut events: Vec<_> = words.iter().map(said).collect();
    events.push(chunk(
        json!([{"index": 0, "delta": {}, "logprobs": null, "finish_reason": "stop"}]),
    ));
    let mut last = chunk(json!([]));
    last["usage"] = usage.clone();
    events.push(last);
    let whole = json!({
        "id": id, "object": "chat.completion", "created": 1_795_231_230, "model": "m", "usage": usage,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "logprobs": null, "finish_reason": "stop"}],
    });
    Reply {
        whole: whole.to_string(),
        events: framed(&events),
    }
}

fn by_tokens(ids: &[u32]) -> Reply {
    let id = "generate-tokens-b85ab7eae4b032b6";
    let choice = |ids: &[u32], last: bool| {
        let finish = last.then_some("stop");
        json!({"index": 0, "finish_reason": finish, "stop_reason": null, "token_ids": ids, "routed_experts": null,
            "sampling_mask": null, "weight_versions": null, "logprobs": null})
    };
    let event = |(at, id_of_token): (usize, &u32)| {
        json!({"request_id": id, "usage": null, "output_mode": "tokens",
            "choices": [choice(&[*id_of_token], at + 1 == ids.len())]})
    };
    let events: Vec<_> = ids.iter().enumerate().map(event).collect();
    let whole = json!({"request_id": id, "choices": [choice(ids, true)], "prompt_logprobs": null, "kv_transfer_params": null});
    Reply {
        whole: whole.to_string(),
        events: framed(&events),
    }
}

fn framed(events: &[serde_json::Value]) -> Vec<Vec<u8>> {
    let texts = events
        .iter()
        .map(ToString::to_string)
        .chain(["[DONE]".to_owned()]);
    let frame = |text: String| {
        let event = format!("data: {text}\n\n");
        format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
    };
    texts.map(frame).collect()
}
