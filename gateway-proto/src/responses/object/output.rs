//! Items that the model wrote.

use crate::ir::TokenLogprob;
use crate::json::{push_str, push_u64, push_value};
use crate::responses::opaque;

/// How far an item or response has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemStatus {
    /// Being written.
    InProgress,
    /// Whole.
    Completed,
    /// Cut off.
    Incomplete,
}

impl ItemStatus {
    fn word(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
        }
    }
}

/// An item that the model wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputItem {
    /// Its id.
    pub id: String,
    /// How far it has come.
    pub status: ItemStatus,
    /// What it is.
    pub body: OutputBody,
}

/// What an item of the model is.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputBody {
    /// Text for the reader.
    Message {
        /// The text.
        text: String,
        /// Log probabilities of its tokens, where asked for.
        logprobs: Vec<TokenLogprob>,
    },
    /// Reasoning.
    Reasoning {
        /// The text.
        text: String,
        /// Whether the opaque form is told too.
        sealed: bool,
    },
    /// A call of a function.
    FunctionCall {
        /// Names the call in the tool's answer.
        call_id: String,
        /// The namespace of the function.
        namespace: Option<String>,
        /// The function.
        name: String,
        /// Its arguments, as JSON text.
        arguments: String,
    },
    /// A call of a custom tool.
    CustomCall {
        /// Names the call in the tool's answer.
        call_id: String,
        /// The tool.
        name: String,
        /// Its input, as plain text.
        input: String,
    },
}

impl OutputBody {
    /// What ids of such items begin with.
    pub(in crate::responses) fn prefix(&self) -> &'static str {
        match self {
            Self::Message { .. } => "msg",
            Self::Reasoning { .. } => "rs",
            Self::FunctionCall { .. } => "fc",
            Self::CustomCall { .. } => "ctc",
        }
    }
}

impl OutputItem {
    /// The item as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.push(&mut out);
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    /// Appends the item as JSON.
    pub(in crate::responses) fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"id\":");
        push_str(out, &self.id);
        match &self.body {
            OutputBody::Message { text, logprobs } => self.push_message(text, logprobs, out),
            OutputBody::Reasoning { text, sealed } => self.push_reasoning(text, *sealed, out),
            OutputBody::FunctionCall {
                call_id,
                namespace,
                name,
                arguments,
            } => {
                out.extend_from_slice(b",\"type\":\"function_call\"");
                self.push_status(out);
                push_member(out, "call_id", call_id);
                push_member(out, "name", name);
                if let Some(namespace) = namespace {
                    push_member(out, "namespace", namespace);
                }
                push_member(out, "arguments", arguments);
            }
            OutputBody::CustomCall {
                call_id,
                name,
                input,
            } => {
                out.extend_from_slice(b",\"type\":\"custom_tool_call\"");
                self.push_status(out);
                push_member(out, "call_id", call_id);
                push_member(out, "name", name);
                push_member(out, "input", input);
            }
        }
        out.push(b'}');
    }

    fn push_message(&self, text: &str, logprobs: &[TokenLogprob], out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"type\":\"message\"");
        self.push_status(out);
        out.extend_from_slice(b",\"role\":\"assistant\",\"content\":[");
        if !self.is_untouched(text) {
            push_text_part(text, logprobs, out);
        }
        out.extend_from_slice(b"]");
    }

    fn push_reasoning(&self, text: &str, sealed: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"type\":\"reasoning\"");
        self.push_status(out);
        out.extend_from_slice(b",\"summary\":[],\"content\":[");
        if !self.is_untouched(text) {
            push_reasoning_part(text, out);
        }
        out.push(b']');
        if sealed && self.status != ItemStatus::InProgress {
            let told = opaque::seal(opaque::Kind::Reasoning, text);
            push_member(out, "encrypted_content", &told);
        }
    }

    fn push_status(&self, out: &mut Vec<u8>) {
        push_member(out, "status", self.status.word());
    }

    /// An item just opened has no content part yet.
    fn is_untouched(&self, text: &str) -> bool {
        text.is_empty() && self.status == ItemStatus::InProgress
    }
}

/// Appends a part of text.
pub(in crate::responses) fn push_text_part(
    text: &str,
    logprobs: &[TokenLogprob],
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":");
    push_logprobs(out, logprobs);
    push_member(out, "text", text);
    out.push(b'}');
}

/// Appends a part of reasoning.
pub(in crate::responses) fn push_reasoning_part(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"reasoning_text\"");
    push_member(out, "text", text);
    out.push(b'}');
}

/// Appends a list of log probabilities.
pub(in crate::responses) fn push_logprobs(out: &mut Vec<u8>, tokens: &[TokenLogprob]) {
    out.push(b'[');
    for (number, token) in tokens.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        push_token(out, token);
        out.extend_from_slice(b",\"top_logprobs\":[");
        for (number, top) in token.top.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            push_token(out, top);
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
    }
    out.push(b']');
}

/// Appends a token's own members, the closing brace left open.
fn push_token(out: &mut Vec<u8>, token: &TokenLogprob) {
    out.extend_from_slice(b"{\"token\":");
    push_str(out, &token.token);
    out.extend_from_slice(b",\"logprob\":");
    // JSON has no infinities; OpenAI's own stand-in for "next to impossible" takes their place.
    let finite = token.logprob.is_finite();
    push_value(out, if finite { &token.logprob } else { &-9999.0 });
    out.extend_from_slice(b",\"bytes\":[");
    for (number, byte) in token.bytes.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        push_u64(out, u64::from(*byte));
    }
    out.push(b']');
}

fn push_member(out: &mut Vec<u8>, key: &str, value: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    push_str(out, value);
}
