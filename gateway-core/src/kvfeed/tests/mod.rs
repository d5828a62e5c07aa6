//! Feeds against what can be said about them without any cleverness.

mod oracle;
mod order;
mod ranks;
mod rig;
mod translation;
