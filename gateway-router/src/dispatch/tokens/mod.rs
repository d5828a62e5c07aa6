//! Tokens in, tokens out: the same dispatch, with ids in place of bytes.

mod attempt;
mod request;
mod stream;

pub(crate) use attempt::generate;
pub use request::{TokenReply, TokenRequest};
pub use stream::{TokenStep, TokenStream};
