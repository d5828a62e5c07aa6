//! OpenAI's Responses API, as the Open Responses specification has it too.
//!
//! A request's input is a list of items; [`decode_request`] makes it messages of the neutral form, in which one turn of
//! the model is one message. Items keep the JSON they came as, so that stores can list and replay them. Answers go out
//! as events ([`ResponseStream`]) or as one object ([`encode_answer`]); both come from the same code and agree.
//!
//! What a request continues lies in a store that this crate knows nothing of: [`ResponsesRequest::needs_history`] says
//! so and [`ResponsesRequest::resolve`] takes it in.
//!
//! ```
//! use gateway_proto::dialect::StreamEncoder;
//! use gateway_proto::ir::{Event, Head, Step};
//! use gateway_proto::responses::{Framing, ResponseStream, decode_request};
//!
//! let request = decode_request(br#"{"model":"m","input":"hi","stream":true}"#)?;
//! let head = Head { id: "7".into(), created: 1, model: "m".into(), prompt_tokens: None };
//! let mut stream = ResponseStream::new(&request, &head, Framing::Sse);
//! let mut out = Vec::new();
//! stream.event(&Event::Step { choice: 0, step: Step::Text("Hello".into()) }, &mut out);
//! stream.finish(&mut out);
//! assert!(out.starts_with(b"event: response.created\n"));
//! assert!(out.ends_with(b"data: [DONE]\n\n"));
//! # Ok::<(), gateway_proto::dialect::DialectError>(())
//! ```
mod answer;
mod compact;
mod items;
mod node;
mod object;
mod opaque;
mod request;
mod socket;
mod stream;
#[cfg(test)]
mod tests;
mod tools;

pub use answer::encode_answer;
pub use items::Item;
pub use object::{
    Compaction, Conversation, ConversationBody, Failure, Incomplete, ItemStatus, ListQuery, Order,
    OutputBody, OutputItem, Page, ResponseObject, Status, decode_conversation, decode_items,
    deleted_conversation, deleted_response, input_tokens, page,
};
pub use request::{ResponsesRequest, Settings, decode_request};
pub use socket::{decode_message, error_message};
pub use stream::{DONE, EventLog, Framing, ResponseStream, push_sse};
pub use tools::{ToolName, ToolNames};
