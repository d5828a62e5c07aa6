//! What each endpoint has of a prompt: by source and by tier.
//!
//! Three sources are kept apart, in lanes of one [prefix index](crate::prefix):
//!
//! - **Events** of the engine say which blocks lie on its device, in its host's memory or on disk ([`Residency::stored`],
//!   [`Residency::removed`], [`Residency::cleared`]), and that some of them were missed ([`Residency::lost`]).
//! - **Prompts on their way** count from the moment they are placed, since the engine will have computed them before
//!   anything that is queued behind ([`Residency::placed`], [`Residency::served`], [`Residency::failed`]). This is the
//!   speculative insert of precise prefix routers.
//! - **History**: where no event can ever confirm a prompt, because the endpoint has no feed or the prompt is keyed by
//!   its bytes, what was served is remembered as the engine's own cache would: the least recently used tail goes first,
//!   at most as many blocks as the engine has, and nothing for longer than an age limit.
//!
//! ```
//! use gateway_core::residency::{Keying, Residency, ResidencyConfig, Residents, Tier, Trust};
//! use gateway_core::{BlockHash, EndpointId, Timestamp};
//!
//! let residency = Residency::new(ResidencyConfig::default());
//! let (engine, prompt) = (EndpointId(0), [11, 22, 33].map(BlockHash));
//! residency.set_trust(engine, Trust::Exact);
//!
//! let now = Timestamp::ZERO;
//! let claim = residency.placed(engine, &prompt, Keying::Tokens, now);
//! residency.stored(engine, Tier::Device, None, &prompt[..2]);
//!
//! let mut residents = Residents::new();
//! residency.lookup(&prompt, &mut residents);
//! let cached = residents.of(engine);
//! assert_eq!((cached.device, cached.own), (2, 3)); // two announced, all three on their way
//! residency.served(claim, now);
//! ```
//!
//! # What overrides what
//!
//! [`Trust`] says how good an endpoint's events are. With an exact feed an expected block counts until its grace after
//! the first token has passed; by then an event has either confirmed it or never will. An event that removes a block
//! from the device removes it from what this router believes too. Lookups take no lock; bookkeeping takes one per
//! endpoint.
//!
//! Time is an argument. What is due goes when the endpoint's books are next touched; call [`Residency::expire`] now and
//! then for endpoints that get no requests.

mod books;
mod residents;
mod rules;
mod shadow;
mod types;

#[cfg(test)]
mod tests;

pub use books::Residency;
pub use residents::{Cached, Residents};
pub use types::{Claim, Keying, ResidencyConfig, ResidencyStats, Room, Tier, Trust};
