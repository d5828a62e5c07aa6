//! Which endpoints there are: what the configuration lists, what sources find and operators add, what engines say of
//! themselves, and who is on the way out.

mod asking;
mod changes;
mod file;
mod known;
mod roster;
mod sources;
mod status;

pub(crate) use asking::{Answer, Asking, Awaited};
pub(crate) use changes::{Change, ChangeError};
pub(crate) use known::Known;
pub(crate) use roster::Roster;
pub(crate) use sources::Sources;
pub(crate) use status::{EndpointStatus, SourceStatus, Status};
