//! Load: what engines report, what this router has in flight, and the one view that joins the two.
//!
//! The rule that joins them: our own requests are counted by the [`Booking`] guards alone, exactly and at once; an
//! engine's report only adds what it knows and we do not, the *foreign* work that other gateways sent. To tell the two
//! apart, a reading is compared with what this router had in flight **when the reading was taken** ([`SampleMark`]), not
//! when it arrived, so ten requests placed between two readings count ten, never zero and never twenty.
//!
//! Age has a defined meaning ([`TelemetryPolicy`], [`Freshness`]): fresh readings count in full; stale ones still add
//! their foreign requests but no longer exclude anybody; forgotten and missing ones add nothing, and what only an engine
//! can know (KV use) is unknown.

mod active;
mod adapter_use;
mod adapters;
mod bell;
mod booking;
mod ledger;
mod rates;
mod reported;
mod state;
mod telemetry;
#[cfg(test)]
mod tests;
mod work;

pub use adapter_use::AdapterUse;
pub use adapters::Adapters;
pub(crate) use bell::RoomBell;
pub use booking::Booking;
pub use ledger::InFlight;
pub use rates::Rates;
pub use reported::{Freshness, SampleMark, TelemetryPolicy};
pub use state::{EndpointState, Load};
pub use telemetry::Telemetry;
pub use work::Demand;
