//! Whole fleets under recorded or generated traffic, in virtual time and fast: prompts are block ids and lengths, a step
//! costs the same however many sequences decode in it.
//!
//! [`crate::fleet`] drives [`crate::model`] token by token and suits experiments with hundreds of requests; this drives
//! tens of thousands. Routers speak the protocol of [`gateway_core::decider`], so what is measured here is what
//! `gateway decide` answers.
//!
//! An engine works as those of [`crate::model`] do: who decodes comes first, then unfinished prompts, then new requests
//! in arrival order while there are tokens in the budget and blocks in the cache. Beyond them it has a host tier, sends
//! the KV cache of split requests over a link, and is slow in spans. What is generated is not kept for others to find.
//!
//! ```
//! use gateway_core::decider::{
//!     Answer, Ask, Finish, FirstToken, Init, KvNote, PrefillDone, RoleName, TelemetryNote,
//! };
//! use gateway_sim::model::ChipProfile;
//! use gateway_sim::replay::{FleetSpec, ReplayEngine, Router, TraceRequest, replay};
//!
//! /// The engine with the fewest requests.
//! struct Fewest(Vec<u32>);
//!
//! impl Router for Fewest {
//!     fn init(&mut self, init: &Init) {
//!         self.0 = vec![0; init.engines.len()];
//!     }
//!     fn finish(&mut self, note: &Finish) {
//!         self.0[note.engine as usize] -= 1;
//!     }
//!     fn route(&mut self, ask: &Ask) -> Answer {
//!         let engine = (0..).zip(&self.0).min_by_key(|(_, open)| **open).map_or(0, |(engine, _)| engine);
//!         self.0[engine as usize] += 1;
//!         Answer::Engine { id: ask.id, engine }
//!     }
//!     fn telemetry(&mut self, _: &TelemetryNote) {}
//!     fn kv(&mut self, _: &KvNote) {}
//!     fn prefill_done(&mut self, _: &PrefillDone) {}
//!     fn first_token(&mut self, _: &FirstToken) {}
//! }
//!
//! let chip = ChipProfile::named("8b-h100").expect("a known profile");
//! let engine = ReplayEngine {
//!     class: "h100".to_owned(),
//!     role: RoleName::Both,
//!     chip,
//!     kv_blocks: chip.kv_tokens / 512,
//!     host: None,
//!     max_sequences: 256,
//!     batch_tokens: chip.batch_tokens,
//!     kv_bytes_per_token: 131_072.0,
//!     nic_gbs: 50.0,
//!     tflops: 989.0,
//!     hbm_gbs: 3_350.0,
//!     slow: Vec::new(),
//! };
//! let fleet = FleetSpec {
//!     block_tokens: 512,
//!     engines: vec![engine; 4],
//!     telemetry_every_seconds: 1.0,
//!     telemetry_delay_seconds: 0.1,
//!     kv_delay_seconds: 0.05,
//!     nameplates: true,
//! };
//! let trace: Vec<TraceRequest> = (0..100_u32)
//!     .map(|n| TraceRequest {
//!         at_seconds: f64::from(n) * 0.1,
//!         input_tokens: 6_000,
//!         output_tokens: 150,
//!         blocks: (0..12).map(|block| u64::from(n % 10) * 100 + block).collect(),
//!         ttft_slo_ms: 2_000.0,
//!         tpot_slo_ms: 25.0,
//!     })
//!     .collect();
//! let report = replay(&fleet, &trace, &mut Fewest(Vec::new()), &mut |_arrived| ())?;
//! assert_eq!(report.rejected(), 0);
//! println!("{:?} at the median, {:.0} % hits", report.ttft().p50, 100.0 * report.hit_rate());
//! # Ok::<(), gateway_sim::replay::ReplayError>(())
//! ```

mod advance;
mod agenda;
mod cache;
mod candidates;
mod changes;
mod check;
mod engine;
mod error;
mod event;
mod gaps;
mod mail;
mod memory;
mod place;
mod plan;
mod record;
mod report;
mod router;
mod run;
mod sequence;
mod spec;
mod tell;
#[cfg(test)]
mod tests;

pub use error::ReplayError;
pub use gaps::Gaps;
pub use record::ReplayRecord;
pub use report::{EngineReport, ReplayReport};
pub use router::Router;
pub use run::replay;
pub use spec::{FleetSpec, HostTier, ReplayEngine, SlowSpan, TraceRequest};
