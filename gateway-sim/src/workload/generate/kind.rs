//! All kinds by name.

use serde::{Deserialize, Serialize};

use super::{
    Agents, Bimodal, Bursts, Chat, Cx, Documents, Generator, Groups, HotPrefix, Traffic, Uniform,
};
use crate::workload::{Draft, request};

/// A kind of traffic with its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Groups of users who share a long prefix.
    Groups(Groups),
    /// Agents that call tools.
    Agents(Agents),
    /// Conversations.
    Chat(Chat),
    /// Many short prompts and a few very long ones.
    Bimodal(Bimodal),
    /// Busy and quiet phases.
    Bursts(Bursts),
    /// One prefix that most requests have.
    HotPrefix(HotPrefix),
    /// Long documents that are asked a few questions each.
    Documents(Documents),
    /// Nothing in common, all lengths equally likely.
    Uniform(Uniform),
}

/// No kind has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown workload `{0}`; known: {known}", known = Kind::NAMES.join(", "))]
pub struct UnknownKind(pub String);

impl Kind {
    /// The names of all kinds.
    pub const NAMES: [&'static str; 8] = [
        "groups",
        "agents",
        "chat",
        "bimodal",
        "bursts",
        "hot-prefix",
        "documents",
        "uniform",
    ];

    /// A kind by its name, with default parameters.
    ///
    /// # Errors
    /// Where no kind has that name.
    pub fn named(name: &str) -> Result<Self, UnknownKind> {
        Ok(match name {
            "groups" => Self::Groups(Groups::default()),
            "agents" => Self::Agents(Agents::default()),
            "chat" => Self::Chat(Chat::default()),
            "bimodal" => Self::Bimodal(Bimodal::default()),
            "bursts" => Self::Bursts(Bursts::default()),
            "hot-prefix" => Self::HotPrefix(HotPrefix::default()),
            "documents" => Self::Documents(Documents::default()),
            "uniform" => Self::Uniform(Uniform::default()),
            other => return Err(UnknownKind(other.to_owned())),
        })
    }

    /// Requests in the order of their arrival: equal arguments, equal requests.
    #[must_use]
    pub fn generate(&self, traffic: Traffic, block_tokens: u32, seed: u64) -> Vec<Draft> {
        let mut cx = Cx::new(traffic, block_tokens, seed);
        let mut drafts = self.generator().generate(&mut cx);
        request::sort(&mut drafts);
        drafts.truncate(cx.traffic().requests);
        drafts
    }

    fn generator(&self) -> &dyn Generator {
        match self {
            Self::Groups(kind) => kind,
            Self::Agents(kind) => kind,
            Self::Chat(kind) => kind,
            Self::Bimodal(kind) => kind,
            Self::Bursts(kind) => kind,
            Self::HotPrefix(kind) => kind,
            Self::Documents(kind) => kind,
            Self::Uniform(kind) => kind,
        }
    }
}
