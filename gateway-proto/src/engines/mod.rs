//! The wires on which engines take token ids and give token ids.
//!
//! A [`TokenCall`] says what is to be generated. [`TokenWire::encode`] writes it as one engine's request body, always as
//! a stream and never with stop texts (whoever turns ids into text looks for those). A [`TokenReader`] reads the engine's
//! event stream, whatever its wire, as [`TokenEvent`]s: only what is new, per choice, in order.
//!
//! What an engine cannot do is an [`Unsupported`] error that names it: no wish is dropped in silence.
//!
//! ```
//! use gateway_proto::engines::{TokenCall, TokenReader, TokenWire};
//! use gateway_proto::sse::Limits;
//!
//! let call = TokenCall::new("m", [9707, 11].as_slice(), 4);
//! let body = TokenWire::VllmGenerate.encode(&call)?;
//! assert!(body.starts_with(br#"{"model":"m","token_ids":[9707,11],"#));
//!
//! let mut reader = TokenReader::new(TokenWire::VllmGenerate, &call, Limits::default());
//! let mut events = Vec::new();
//! reader.push(b"data: {\"choices\":[{\"index\":0,\"token_ids\":[5,6]}]}\n\n", &mut events);
//! assert_eq!(events[0].ids, [5, 6]);
//! # Ok::<(), gateway_proto::engines::Unsupported>(())
//! ```
mod call;
mod choices;
mod completions;
mod error;
mod event;
mod forms;
mod llamacpp;
mod mindie;
mod numbers;
mod reader;
mod sglang;
mod tail;
#[cfg(test)]
mod tests;
pub mod transfer;
mod trtllm;
mod vllm;
mod wire;
mod wishes;

pub use call::TokenCall;
pub use error::{TokenFault, Unsupported};
pub use event::{IdLogprob, TokenEvent, TokenFinish};
pub use reader::TokenReader;
pub use wire::TokenWire;
pub use wishes::{WishError, Wishes};
