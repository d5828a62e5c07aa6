//! From a decoded request to a reply: decide, book, send, retry before the first byte, relay.

mod attempt;
mod flight;
mod headers;
mod reply;
mod request;
mod run;
mod status;
mod stream;

pub use reply::{ReplyBody, RouteReply};
pub use request::RouteRequest;
pub(crate) use run::run;
