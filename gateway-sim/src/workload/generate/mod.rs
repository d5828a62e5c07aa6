//! Generated traffic: one kind a file, all of it from a seed.
//!
//! Each kind is a plain struct of parameters with defaults. How many requests come, how fast and how evenly is the same
//! question for all kinds: [`Traffic`].

mod agents;
mod bimodal;
mod bursts;
mod chat;
mod cx;
mod documents;
mod groups;
mod hot_prefix;
mod kind;
mod lengths;
mod sessions;
#[cfg(test)]
mod tests;
mod uniform;

pub use agents::Agents;
pub use bimodal::Bimodal;
pub use bursts::Bursts;
pub use chat::Chat;
pub use cx::{Cx, Traffic};
pub use documents::Documents;
pub use groups::Groups;
pub use hot_prefix::HotPrefix;
pub use kind::{Kind, UnknownKind};
pub use lengths::Lengths;
pub use uniform::Uniform;

use super::Draft;

/// Makes requests.
pub trait Generator {
    /// Requests in any order, about as many as `cx` asks for; the caller sorts and cuts.
    fn generate(&self, cx: &mut Cx) -> Vec<Draft>;
}
