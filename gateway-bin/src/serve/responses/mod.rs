//! OpenAI's Responses where the gateway itself speaks them: made through the neutral form, kept, continued, and made in the
//! background.
//!
//! [`create`] serves `POST /v1/responses`, [`serve`] all other routes; both lead through `making`. [`Desk`] is what
//! outlives a request. `socket` is the WebSocket form.

mod background;
mod compact;
mod conversations;
mod count;
mod create;
mod desk;
mod fault;
mod follow;
mod history;
mod job;
mod keep;
mod lapse;
mod making;
mod query;
mod retrieve;
mod route;
mod serve;
mod socket;
mod truncate;
mod writing;

pub(super) use create::create;
pub(crate) use desk::Desk;
pub(super) use route::{Route, find, methods};
pub(super) use serve::serve;
pub(super) use socket::Session;
