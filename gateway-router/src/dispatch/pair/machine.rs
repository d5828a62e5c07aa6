//! What a connector's state machine is told, and what it orders.

use bytes::Bytes;
use gateway_proto::engines::transfer::{
    Connector, LegEdit,
    mindie::{Target, What},
};

use super::{
    broken::Broken, mindie::MindIe, mooncake::Mooncake, nixl::Nixl, sglang::Sglang, trtllm::TrtLlm,
};
use crate::RouteError;

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Order {
    /// Ask the prefill engine's bootstrap port who it is.
    Ask,
    /// Send the prefill leg.
    Prefill(LegEdit),
    /// Send the decode leg.
    Decode(LegEdit),
    /// Send both.
    Both { prefill: LegEdit, decode: LegEdit },
    /// Take a place, under this name, among those whom the decode engine answers.
    Join(String),
    /// The decode engine has the request; wait no longer than it may take to its first word.
    Hear,
    /// Begin the answer with `head`, which is all of it where `is_over`; the rest comes from the decode engine, which has
    /// thrown the request out as often as `recomputes` says.
    Follow {
        head: Bytes,
        is_over: bool,
        recomputes: u32,
    },
    /// Nothing but wait for what is under way.
    Wait,
    /// The decode leg has begun: its answer is the caller's.
    Take,
    /// The prefill leg's answer is the caller's.
    Adopt(Bytes),
    /// The same, of an answer that is an event stream.
    AdoptEvents(Bytes),
    /// The pair cannot serve the request; what is under way ends.
    GiveUp(Broken),
}

impl Order {
    /// What follows the beginning of the only decode leg there is.
    pub(super) fn of_decode(begun: Result<(), RouteError>) -> Self {
        begun.map_or_else(|error| Self::GiveUp(Broken::decode(error)), |()| Self::Take)
    }

    /// The same of a decode leg with what prefill has handed over, from engines that have no words of their own for that.
    pub(super) fn of_fetch(begun: Result<(), RouteError>) -> Self {
        begun.map_or_else(
            |error| Self::GiveUp(Broken::fetching(error)),
            |()| Self::Take,
        )
    }
}

/// What has come of an order.
#[derive(Debug)]
pub(super) enum Event {
    /// The bootstrap port has answered, or not.
    Told(Result<Bytes, RouteError>),
    /// The prefill leg is over, with its whole answer.
    Prefilled(Result<Bytes, RouteError>),
    /// There is a place at the decode engine, or none.
    Joined(Result<(), RouteError>),
    /// The decode engine has said something for the first time since the place was taken, or nothing more can come.
    Heard(Result<(What, Bytes), RouteError>),
    /// The decode leg has begun to answer, or failed.
    Decoding(Result<(), RouteError>),
}

/// One hand-over, from its first order to [`Order::Take`], [`Order::Adopt`] or [`Order::GiveUp`], which nothing
/// follows whatever happens. What a prefill leg handed over goes out once: a decode leg that fails is never followed by
/// another.
pub(super) trait Machine: Send {
    fn start(&mut self) -> Order;

    fn on(&mut self, event: Event) -> Order;
}

/// What all machines may need to know.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// Unique among live requests, 63 bits.
    pub(super) room: u64,
    /// Where the prefill engine is found.
    pub(super) bootstrap: (String, u16),
    /// The data-parallel rank that prefills and how many there are, where each is an endpoint of its own.
    pub(super) rank: Option<(u32, u32)>,
    /// Whether the engines are asked on the route of chats.
    pub(super) is_chat: bool,
    /// Whether the engines stream.
    pub(super) streams: bool,
    /// Where a prefill engine finds the decode engine, where it is asked for that.
    pub(super) handed_to: Option<Target>,
}

/// The machine of a connector.
pub(super) fn of(connector: Connector, terms: Terms) -> Box<dyn Machine> {
    match connector {
        Connector::Nixl => Box::new(Nixl::default()),
        Connector::Mooncake => Box::new(Mooncake::new(terms)),
        Connector::Sglang => Box::new(Sglang::new(terms)),
        Connector::TrtLlm => Box::new(TrtLlm::new(terms)),
        Connector::MindIe => Box::new(MindIe::new(terms)),
    }
}
