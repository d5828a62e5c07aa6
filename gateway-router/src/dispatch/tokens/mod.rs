//! Tokens in, tokens out: the same dispatch, with ids in place of bytes.
//!
//! A stream has one call to an engine ([`lane`]), and where that fails further ones ([`parts`]) for what it has left
//! ([`written`]), as far as [`survival`] allows.

mod attempt;
mod elsewhere;
mod lane;
mod parts;
mod request;
mod stream;
mod survival;
mod written;

pub(crate) use attempt::generate;
pub(super) use elsewhere::wait as elsewhere;
pub use request::{TokenReply, TokenRequest};
pub use stream::{TokenStep, TokenStream};
