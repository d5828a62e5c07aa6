//! The gateway binary as a library, so that tests and other programs start it in process.
//!
//! [`config`] reads a file, [`Gateway`] runs what it says; the command line is a thin layer over both.

pub mod cli;
mod clock;
pub mod config;
mod discovery;
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod gateway;
mod learned;
mod log;
mod metrics;
mod reload;
mod running;
mod serve;
mod signals;
mod stage;
mod steward;
mod store;

pub use gateway::{Gateway, Options, ReloadFrom, StartError};
pub use log::LostLines;
pub use running::Running;
pub use serve::ListenError;
