//! Many engines in virtual time under a routing policy.
//!
//! A [`Fleet`] plays arrivals against [`EngineModel`](crate::model::EngineModel)s, asks a [`Policy`] where each goes, and
//! reports when everybody got which token. Nothing waits and nothing is random: equal inputs give equal reports, and an
//! hour of traffic takes a moment.
//!
//! ```
//! use gateway_core::Timestamp;
//! use gateway_sim::fleet::{Arrival, Fleet};
//! use gateway_sim::model::{ChipProfile, EngineConfig, Request, RequestId};
//!
//! let chip = ChipProfile::named("8b-h100").expect("a known profile");
//! let fleet = Fleet::new(vec![EngineConfig::for_chip(chip); 2])?;
//! let arrivals = (0..10).map(|n| Arrival {
//!     at: Timestamp::from_millis(n * 50),
//!     request: Request::new(RequestId(n), vec![7; 500], vec![8; 20]),
//! });
//!
//! let mut turn = 0;
//! let report = fleet.run(arrivals, &mut |_: &Arrival, _now| {
//!     turn += 1;
//!     Some(turn % 2)
//! });
//! assert_eq!(report.records.len(), 10);
//! println!("first token after {:?} at the median", report.ttft().p50);
//! # Ok::<(), gateway_sim::model::ConfigError>(())
//! ```

mod event;
mod play;
mod policy;
mod report;
#[cfg(test)]
mod tests;

pub use event::{Arrival, Incident, IncidentKind};
pub use play::Fleet;
pub use policy::{FleetEvent, Policy};
pub use report::{FleetReport, Outcome, RequestRecord, Summary};
