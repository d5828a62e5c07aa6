//! Answers as this API's stream events.
mod emit;
mod encoder;
mod ending;
mod item;
mod log;

pub use emit::{DONE, Framing, push_sse};
pub use encoder::ResponseStream;
pub(super) use ending::push_error;
pub use log::EventLog;
