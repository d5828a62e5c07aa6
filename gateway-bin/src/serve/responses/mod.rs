//! OpenAI's Responses where the gateway itself speaks them: answers through the neutral form.

mod create;
mod writing;

pub(super) use create::create;
