//! The kinds of faults and how each is ordered.

use serde::{Deserialize, Serialize};

/// What goes wrong. Each was seen on a real engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The process is killed: listener and all connections close at once. Happens when ordered; count does not matter.
    Die,
    /// vLLM on SIGTERM: the listener closes and open streams stop without an end. Happens when ordered.
    Sigterm,
    /// Every later step takes `factor` times as long. Happens when ordered; factor 1 ends it.
    Slow,
    /// A request is accepted and never answered.
    Hang,
    /// A stream stops after `after_chunks` chunks, and its connection stays open.
    FreezeStreams,
    /// Requests get 500 while health stays 200, as from an engine that drains.
    #[serde(rename = "error_500")]
    Error500,
    /// `/health` answers 503.
    #[serde(rename = "health_503")]
    Health503,
    /// `/health` takes `millis` milliseconds, 1,000 unless given, as with SGLang.
    SlowHealth,
    /// A stream gives an error chunk after `after_chunks` chunks, then `[DONE]`; without streaming, 500.
    ErrorChunk,
    /// The connection breaks in the middle of the reply.
    DropStream,
    /// A reply ends early with finish reason `abort`, then `[DONE]`.
    AbortStream,
    /// Requests get 503 with the message that the engine is busy.
    #[serde(rename = "busy_503")]
    Busy503,
    /// The connection is closed after a reply that promised to keep it.
    DeadConnection,
    /// A request that contains `marker` (`POISON` unless given) kills the engine.
    Poison,
    /// A token id out of the vocabulary kills the engine, as it does SGLang's; without this fault it is refused.
    PoisonToken,
    /// The metrics page has NaN for the KV use.
    NanMetric,
    /// The first byte of a reply comes `millis` milliseconds late, 1,000 unless given.
    SlowFirstByte,
    /// One event of a stream is cut in the middle of its JSON; without streaming, the reply is.
    MalformedSse,
    /// Errors have SGLang's flat shape.
    FlatErrors,
    /// The engine is killed after `after_chunks` chunks of a stream.
    DieMidStream,
    /// A reply ends after `after_chunks` chunks with `stop_reason` `recomputed`, as from vLLM-ascend that has no room left
    /// and wants the request again.
    Recomputed,
    /// New connections are closed at once, as those that a listener's full queue drops.
    RefuseConnections,
    /// KV does not get from the prefill engine to the decode engine; strikes on the engine where it is ordered.
    TransferFailed,
    /// The first contact of a decode engine with a prefill engine gets no answer.
    HandshakeTimeout,
    /// A heartbeat that prolongs the lease of blocks is lost; strikes on the decode engine.
    LoseHeartbeat,
    /// A batch of KV events is lost before it is sent, which leaves a gap in the sequence.
    DropKvBatch,
    /// A batch of KV events is lost on its way: a gap in the sequence that a replay fills.
    LoseKvBatch,
    /// A batch of KV events is sent `millis` milliseconds late, 1,000 unless given, and those behind it wait.
    LateKvBatch,
    /// The cache is dropped and the publisher begins anew at number 0 with nothing to replay, as after a restart. Happens
    /// when ordered.
    RestartKvFeed,
}

/// A fault as it is ordered. In JSON: `{"kind": "error_500", "count": 3}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many times it strikes; none for as long as it stays ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// How likely it strikes each time, 0 to 1.
    #[serde(default = "always")]
    pub probability: f64,
    /// How many chunks of a stream come out before it strikes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_chunks: Option<u32>,
    /// How much slower, for [`FaultKind::Slow`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// How long, for the slow ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub millis: Option<u64>,
    /// What a poisonous request contains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

const fn always() -> f64 {
    1.0
}

impl FaultSpec {
    /// A fault that strikes always, until it is cleared.
    #[must_use]
    pub const fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            count: None,
            probability: 1.0,
            after_chunks: None,
            factor: None,
            millis: None,
            marker: None,
        }
    }

    /// The same, but only so many times.
    #[must_use]
    pub const fn times(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// The same, but only with that probability each time.
    #[must_use]
    pub const fn with_probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    /// The same, but after so many chunks of a stream.
    #[must_use]
    pub const fn after_chunks(mut self, chunks: u32) -> Self {
        self.after_chunks = Some(chunks);
        self
    }

    /// The same, with that factor.
    #[must_use]
    pub const fn by_factor(mut self, factor: f64) -> Self {
        self.factor = Some(factor);
        self
    }

    /// The same, of that many milliseconds.
    #[must_use]
    pub const fn of_millis(mut self, millis: u64) -> Self {
        self.millis = Some(millis);
        self
    }
}
