//! Waiting for room: the async shell of [`gateway_core::admission`].
//!
//! A request that no endpoint has room for joins the line of its model and sleeps. Whatever may make room (load given back,
//! a prompt done, a reading, an endpoint that is back) is news that wakes whoever has the turn; what it finds, or that it
//! found nothing, decides who is woken next. A line exists while somebody stands in it. No lock is held across an await, and
//! whoever is dropped leaves the line.
//!
//! A request that has been placed once never waits here again: retries go to the engines at once. Calls that take up what an
//! engine has failed wait before everybody else, so that the streams of an engine that died do not land on the others all at
//! once.

mod in_turn;
mod line;
mod seat;
mod settings;

pub(crate) use in_turn::{Ask, Denied, in_turn};
pub(crate) use line::Admission;
pub use line::{ClassCounts, ClassStatus};
pub(crate) use seat::Sleeper;
pub use settings::AdmissionSettings;
