//! From a decoded request to a reply: decide, book, send, retry before the first byte, relay.

mod attempt;
mod farewell;
mod flight;
mod headers;
mod hedge;
mod load;
mod pair;
mod place;
mod prelude;
mod reply;
mod request;
mod retries;
mod route;
mod run;
mod silence;
mod single;
mod stream;
mod tokens;
mod work;

pub(crate) use attempt::route;
pub(crate) use pair::Lingers;
pub use reply::{ReplyBody, RouteReply};
pub use request::RouteRequest;
pub(crate) use tokens::generate;
pub use tokens::{TokenReply, TokenRequest, TokenStep, TokenStream};
