//! Health of an endpoint: active probes, passive failure counting, signs of life, slow start, draining.
//!
//! Three witnesses, none enough alone. An engine that drains or whose core died may answer its health route with 200 while
//! every request fails; an engine with a slow health route may serve well; an engine that hangs neither fails nor answers.
//! So an endpoint is used only while probes have not failed [`HealthPolicy::down_after`] times in a row **and** its own
//! failures have not opened the breaker. An open breaker lets one trial request through each time its waiting time,
//! doubled when a trial fails up to [`HealthPolicy::open_at_most`], has passed. Long before a request that hangs has
//! failed, the endpoint's silence is seen ([`Caution`]) and new requests are steered elsewhere.
//!
//! **Panic.** Where so large a part of a model's endpoints is out that the rest cannot carry the load
//! ([`HealthPolicy::panic_percent`]), taking endpoints out does more harm than good: the breakers are not asked then, and
//! requests spread over all that are not known to be [gone](Probe::Gone). What an operator drains stays out.
//!
//! **Slow start.** An endpoint that is new, restarted or back gets a share of the requests that grows over
//! [`HealthPolicy::slow_start`]: its cache is cold, and it may fail again. The endpoints a fleet begins with start at once.

mod policy;
mod ramp;
mod signs;
mod switch;
#[cfg(test)]
mod tests;

pub use policy::{Availability, Caution, HealthPolicy, Outcome, Probe};
pub(crate) use ramp::Ramp;
pub(crate) use signs::Signs;
pub(crate) use switch::HealthSwitch;
