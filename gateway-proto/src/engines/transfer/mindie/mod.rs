//! MindIE's pairs (`inferMode` `dmi`). Sources: MindIE-LLM `server/endpoint/http_wrapper/http_handler.cpp`, `dresult`,
//! `single_llm_req_handler`; MindIE-Motor `coordinator/request_repeater`.
//!
//! Only the prefill engine is asked. Headers name the request and the decode engine, to which it hands over by itself; its
//! answer has the first token. Everything else of all requests comes multiplexed from the decode engine, in the answer to
//! one long `GET /dresult` that it gives to one caller at a time ([`Decoder`]).

mod dresult;
mod leg;
#[cfg(test)]
mod tests;

pub use dresult::{Decoder, DresultError, Limits, Message, Part, What};
pub use leg::{Answered, PATH, Target, answered, blames_transfer, prefill, recompute, stop_path};
