//! What can go wrong on a token wire.

use crate::error::EngineFault;

/// Something that an engine's wire cannot say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// The engine takes no token ids at all.
    #[error("{engine} engines take no token ids: serve this model in text mode")]
    Tokens {
        /// The engine's kind.
        engine: &'static str,
    },
    /// The engine takes token ids, but not this wish.
    #[error("{engine} engines cannot do `{field}` on token ids")]
    Field {
        /// The engine's kind.
        engine: &'static str,
        /// The wish, by the name of its request field.
        field: &'static str,
    },
}

impl Unsupported {
    /// A wish that `engine` has no word for.
    pub(super) const fn field(engine: &'static str, field: &'static str) -> Self {
        Self::Field { engine, field }
    }

    /// Refuses the first of these that is wished.
    pub(super) fn unless_none<const N: usize>(
        engine: &'static str,
        wishes: [(bool, &'static str); N],
    ) -> Result<(), Self> {
        match wishes.into_iter().find(|(wished, _)| *wished) {
            Some((_, field)) => Err(Self::field(engine, field)),
            None => Ok(()),
        }
    }
}

/// Why a token stream ended badly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// The engine said that it failed.
    #[error("the engine failed: {}", .0.error.message)]
    Engine(Box<EngineFault>),
    /// The engine gave the request up.
    #[error("the engine gave the request up")]
    Aborted,
    /// The stream ended before its choices did.
    #[error("the engine's stream broke off")]
    Truncated,
    /// An event larger than allowed.
    #[error("the engine sent an event of more than {limit_bytes} bytes")]
    Oversized {
        /// The limit.
        limit_bytes: usize,
    },
    /// An event that makes no sense.
    #[error("the engine sent an event that makes no sense")]
    Malformed,
    /// Text came, and no ids with it.
    #[error("the engine returns no token ids: serve this model in text mode")]
    NoTokenIds,
}
