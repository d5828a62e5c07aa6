//! The decision driven by plain messages instead of a live fleet: virtual time, no sockets, equal answers for equal input.
//!
//! The same pipelines that serve traffic answer here, so a simulator, a recorded trace or a program in another language
//! can ask what the router would do.

mod chains;
mod lenient;
mod message;
mod moments;
mod numbered;
mod past;
mod recent;
mod run;
mod world;

pub use message::{
    Answer, Ask, EngineNote, EngineNumber, Finish, FirstToken, Init, KvNote, Message, Phase,
    PrefillDone, RequestNumber, RoleName, TelemetryNote,
};
pub use run::{DecideError, Decided, Decider};
