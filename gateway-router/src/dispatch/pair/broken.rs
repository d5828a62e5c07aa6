//! A pair that did not come to serve its request.

use gateway_proto::engines::transfer::{mindie, sglang};

use crate::{ErrorKind, PairFault, RouteError};

/// Whose fault it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dispatch) enum Side {
    Prefill,
    Decode,
    /// The decode engine's, or that of what it was to fetch: engines do not say. It is seen when it serves the request whole.
    Fetching,
    /// One of them, and nobody knows which.
    Either,
    /// Neither engine is the worse for it.
    Neither,
}

/// Why a pair did not serve its request.
#[derive(Clone, Debug)]
pub(in crate::dispatch) struct Broken {
    pub(in crate::dispatch) fault: PairFault,
    pub(in crate::dispatch) side: Side,
    pub(in crate::dispatch) error: RouteError,
}

impl Broken {
    pub(super) fn prefill(error: RouteError) -> Self {
        let fault = match error.kind() {
            ErrorKind::Connect => PairFault::PrefillUnreachable,
            ErrorKind::Timeout | ErrorKind::OutOfTime => PairFault::PrefillTimeout,
            _ => PairFault::PrefillFailed,
        };
        Self::of(fault, Side::Prefill, error)
    }

    pub(super) fn decode(error: RouteError) -> Self {
        let fault = match error.kind() {
            ErrorKind::Connect => PairFault::DecodeUnreachable,
            ErrorKind::Timeout | ErrorKind::OutOfTime => PairFault::DecodeTimeout,
            _ => PairFault::DecodeFailed,
        };
        Self::of(fault, Side::Decode, error)
    }

    /// The decode engine of a prompt that prefill has taken, from engines that have no words of their own for hand-overs.
    pub(super) fn fetching(error: RouteError) -> Self {
        let error = match error.kind() {
            ErrorKind::EngineFailed => error,
            // What prefill took is no mistake of the caller's.
            ErrorKind::Rejected => error.elsewhere(),
            _ => return Self::decode(error),
        };
        Self::of(PairFault::DecodeFailed, Side::Fetching, error)
    }

    /// Whether the engine itself said so.
    pub(super) fn is_answer(&self) -> bool {
        matches!(
            self.error.kind(),
            ErrorKind::EngineFailed | ErrorKind::Busy | ErrorKind::Rejected
        )
    }

    /// The engine is to blame after all where `asks_whole` does not allow for the proof.
    pub(super) fn judged(mut self, asks_whole: bool) -> Self {
        if self.side == Side::Fetching && !asks_whole {
            self.side = Side::Decode;
        }
        self
    }

    /// Both legs were silent for too long.
    pub(super) fn silent(error: RouteError) -> Self {
        Self::of(PairFault::TransferTimeout, Side::Either, error)
    }

    pub(super) fn nothing_handed_over() -> Self {
        let message = "The prefill engine handed nothing over.";
        let error = RouteError::engine(ErrorKind::Broken, crate::Retry::OtherEndpoint, message);
        Self {
            fault: PairFault::NothingHandedOver,
            side: Side::Neither,
            error,
        }
    }

    /// The two cannot work together.
    pub(super) fn no_pair(message: &str) -> Self {
        let error =
            RouteError::engine(ErrorKind::Unsupported, crate::Retry::OtherEndpoint, message);
        Self {
            fault: PairFault::NoPair,
            side: Side::Neither,
            error,
        }
    }

    /// An engine that blames the hand-over is itself well.
    fn of(fault: PairFault, side: Side, error: RouteError) -> Self {
        let is_engines = error.kind() == ErrorKind::EngineFailed || error.kind() == ErrorKind::Busy;
        let words = &error.to_api().message;
        let is_blamed = sglang::blames_transfer(words) || mindie::blames_transfer(words);
        if is_engines && is_blamed {
            return Self {
                fault: PairFault::TransferFailed,
                side: Side::Neither,
                error,
            };
        }
        Self { fault, side, error }
    }
}
