//! What benchmarks work on: texts, conversations, models, answers and fleets, the same on every run; processor time to measure by,
//! as the machine may do other work beside; and the gateway as a process, with a client for it.

mod answers;
mod clock;
mod conversation;
mod fleet;
mod gateway;
mod http;
mod models;
mod prose;

pub use answers::{Answer, answers, split};
pub use clock::{ThreadTime, process_time, thread_time};
pub use conversation::Conversation;
pub use fleet::BusyFleet;
pub use gateway::Gateway;
pub use http::{Connection, request};
pub use models::Model;
pub use prose::Prose;
