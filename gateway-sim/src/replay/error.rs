//! Why a replay cannot be run.

use gateway_core::decider::{EngineNumber, RequestNumber};

/// Why a replay cannot start or go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// There is nothing to route to.
    #[error("the fleet has no engines")]
    NoEngines,
    /// Requests and engines are numbered in 32 bits.
    #[error("there are more requests or engines than 32-bit numbers")]
    TooMany,
    /// A quantity of the fleet makes no sense.
    #[error("the fleet's `{0}` is not a sensible number")]
    Fleet(&'static str),
    /// A quantity of an engine makes no sense.
    #[error("engine {engine}: `{field}` is not a sensible number")]
    Engine {
        /// Which engine.
        engine: EngineNumber,
        /// Which quantity.
        field: &'static str,
    },
    /// A quantity of a request makes no sense.
    #[error("request {index}: `{field}` is not a sensible number")]
    Request {
        /// Its place in the trace, from 0.
        index: usize,
        /// Which quantity.
        field: &'static str,
    },
    /// The router named an engine that is not there.
    #[error("request {request}: the router names engine {engine}, which is not there")]
    UnknownEngine {
        /// The request.
        request: RequestNumber,
        /// The engine named.
        engine: EngineNumber,
    },
    /// The router answered for another request than the one asked about.
    #[error("the router was asked about request {asked} and answered for {answered}")]
    OtherRequest {
        /// The request asked about.
        asked: RequestNumber,
        /// The request answered for.
        answered: RequestNumber,
    },
    /// The router split a request whose KV cache cannot leave its prefill engine.
    #[error("request {request}: engine {engine} has no link to send its KV cache over")]
    NoLink {
        /// The request.
        request: RequestNumber,
        /// The engine for the prompt.
        engine: EngineNumber,
    },
    /// The fleet is so slow, or sends caches so slowly, that virtual time runs out.
    #[error("the replay would take more than 10^9 seconds of virtual time")]
    Endless,
}
