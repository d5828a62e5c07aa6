//! What benchmarks work on: texts, conversations, models and answers, the same on every run; and processor time to
//! measure by, as the machine may do other work beside.

mod answers;
mod clock;
mod conversation;
mod models;
mod prose;

pub use answers::{Answer, answers, split};
pub use clock::{ThreadTime, process_time, thread_time};
pub use conversation::Conversation;
pub use models::Model;
pub use prose::Prose;
