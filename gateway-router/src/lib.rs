//! The async shell around the decision: engines, fleet, health, telemetry, dispatch.
//!
//! A [`Router`] is told its endpoints and policies ([`RouterSettings`]), watches the engines, and routes requests: it
//! decides, books, sends, retries elsewhere before the first byte, and relays the reply. It knows nothing of who calls.
//!
//! ```no_run
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use gateway_router::{EndpointSettings, EngineKind, RouteRequest, Router, RouterSettings, Target};
//! use gateway_router::{EndpointSpec, proto::openai::Api};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let endpoint = EndpointSettings {
//!     spec: EndpointSpec::new("a").model("llama"),
//!     target: Target::parse("http://127.0.0.1:8000")?,
//!     kind: EngineKind::Vllm,
//!     credential: None,
//!     kv_events: Default::default(),
//!     transfer: None,
//! };
//! let router = Router::builder().settings(RouterSettings { endpoints: vec![endpoint], ..Default::default() }).build()?;
//! let body = Bytes::from_static(br#"{"model":"llama","messages":[{"role":"user","content":"hello"}]}"#);
//! let reply = router.route(RouteRequest::parse(Api::ChatCompletions, body)?).await?;
//! println!("{} from {}", reply.response.status(), reply.endpoint);
//! # Ok(())
//! # }
//! ```
//!
//! A [`Router`] is also a [`tower::Service`] over `http` requests, to mount in any server.

mod adapters;
mod admission;
mod body;
mod budget;
mod clock;
pub mod discovery;
mod dispatch;
#[cfg(feature = "text")]
pub mod edge;
pub mod engine;
mod error;
pub mod feed;
mod goals;
mod hedges;
mod pairs;
mod report;
mod results;
mod router;
mod service;
mod settings;
mod snapshot;
mod watch;
mod wire;

pub use adapters::{AdapterSettings, LoadableAdapter};
pub use admission::{AdmissionSettings, ClassCounts, ClassStatus};
pub use body::{BoxBody, BrokenBody};
pub use clock::Clock;
pub use dispatch::{
    ReplyBody, RouteReply, RouteRequest, TokenReply, TokenRequest, TokenStep, TokenStream,
};
pub use engine::{Detected, detect};
pub use error::{ErrorKind, Origin, Retry, RouteError};
pub use gateway_core::{self as core, EndpointSpec};
pub use gateway_proto as proto;
pub use goals::{Goal, Goals};
pub use hedges::{HedgeAfter, HedgeOutcome, HedgeReport, HedgeSettings, Hedges};
pub use pairs::{
    Cleanup, CleanupReport, Fallback, PairFault, PairOutcome, PairReport, PairSettings, Pairs,
    TransferSettings,
};
pub use report::{
    Asked, Ending, GAP_BUCKETS_MICROS, Gaps, Hints, Leg, NoReports, ReportSink, Resumption,
    RouteReport, Stuck,
};
pub use results::{DroppedPart, ResultsStatus};
pub use router::{BuildError, Router, RouterBuilder};
pub use settings::{
    Credential, Deadlines, EndpointSettings, EngineKind, MigrationSettings, RetrySettings,
    RouterSettings, SizeLimits, TextBlocks, WatchSettings,
};
pub use wire::{Target, TargetError, Tls, TlsError, TlsIdentity, TlsSettings};
