//! Times and policies of the router. The defaults are the router's own.

use gateway_core::{health::HealthPolicy, load::TelemetryPolicy, prefix::PrefixIndexConfig};
use gateway_router::{Deadlines, MigrationSettings, RetrySettings, WatchSettings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::{Pause, Span};

/// How long the phases of a request may take.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeadlinesFile {
    /// Opening a connection to an engine.
    pub connect: Span,
    /// From sending a streamed request to the first byte of its body.
    pub first_byte: Span,
    /// Between two chunks of a stream; finds streams that froze without closing.
    pub idle: Span,
    /// The whole request, retries included.
    pub total: Span,
}

impl Default for DeadlinesFile {
    fn default() -> Self {
        let Deadlines {
            connect,
            first_byte,
            idle,
            total,
        } = Deadlines::default();
        Self {
            connect: Span(connect),
            first_byte: Span(first_byte),
            idle: Span(idle),
            total: Span(total),
        }
    }
}

impl From<&DeadlinesFile> for Deadlines {
    fn from(file: &DeadlinesFile) -> Self {
        Self {
            connect: file.connect.0,
            first_byte: file.first_byte.0,
            idle: file.idle.0,
            total: file.total.0,
        }
    }
}

/// When a failed request is tried on another endpoint. Nothing is tried again once something generated was shown;
/// see `migration` for answers by tokens.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryFile {
    /// Attempts per request, the first included.
    pub attempts: std::num::NonZeroU32,
    /// Retries that each request earns: with 0.2, one request in five may be retried in the long run.
    #[serde(serialize_with = "shortest")]
    pub budget_ratio: f32,
    /// Retries that may be made at once without having been earned.
    pub budget_burst: u32,
}

/// Writes 0.2 as 0.2, not as the double nearest to the float nearest to it.
fn shortest<S: Serializer>(ratio: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(ratio.to_string().parse().unwrap_or(f64::from(*ratio)))
}

impl Default for RetryFile {
    fn default() -> Self {
        let RetrySettings {
            attempts,
            budget_ratio,
            budget_burst,
        } = RetrySettings::default();
        let attempts = attempts.try_into().unwrap_or(std::num::NonZeroU32::MIN);
        Self {
            attempts,
            budget_ratio,
            budget_burst,
        }
    }
}

impl From<&RetryFile> for RetrySettings {
    fn from(file: &RetryFile) -> Self {
        Self {
            attempts: file.attempts.get(),
            budget_ratio: file.budget_ratio,
            budget_burst: file.budget_burst,
        }
    }
}

/// When another engine takes up an answer that one has failed in the middle. Of models that are served by tokens alone.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MigrationFile {
    /// Whether it does.
    pub enabled: bool,
    /// How often one answer may be taken up.
    pub attempts: std::num::NonZeroU32,
    /// Answers that each request allows to be taken up: with 0.2, one in five in the long run.
    #[serde(serialize_with = "shortest")]
    pub budget_ratio: f32,
    /// Answers that may be taken up at once without having been earned, as when an engine dies with many.
    pub budget_burst: u32,
}

impl Default for MigrationFile {
    fn default() -> Self {
        let MigrationSettings {
            enabled,
            attempts,
            budget_ratio,
            budget_burst,
            ..
        } = MigrationSettings::default();
        let attempts = attempts.try_into().unwrap_or(std::num::NonZeroU32::MIN);
        Self {
            enabled,
            attempts,
            budget_ratio,
            budget_burst,
        }
    }
}

/// How engines are probed and read.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WatchFile {
    /// Time between two health probes.
    pub probe_every: Span,
    /// How long a probe may take. Some engines' health route runs a generation of a second.
    pub probe_timeout: Span,
    /// Time between two readings of an engine's metrics.
    pub telemetry_every: Span,
    /// How long a reading may take.
    pub telemetry_timeout: Span,
    /// The longest pause between tries at an endpoint that fails.
    pub back_off_at_most: Span,
    /// Time between two looks at which LoRA adapters an engine has.
    pub adapters_every: Span,
}

impl Default for WatchFile {
    fn default() -> Self {
        let watch = WatchSettings::default();
        Self {
            probe_every: Span(watch.probe_every),
            probe_timeout: Span(watch.probe_timeout),
            telemetry_every: Span(watch.telemetry_every),
            telemetry_timeout: Span(watch.telemetry_timeout),
            back_off_at_most: Span(watch.back_off_at_most),
            adapters_every: Span(watch.adapters_every),
        }
    }
}

impl From<&WatchFile> for WatchSettings {
    fn from(file: &WatchFile) -> Self {
        Self {
            probe_every: file.probe_every.0,
            probe_timeout: file.probe_timeout.0,
            telemetry_every: file.telemetry_every.0,
            telemetry_timeout: file.telemetry_timeout.0,
            back_off_at_most: file.back_off_at_most.0,
            adapters_every: file.adapters_every.0,
        }
    }
}

/// What the age of an engine's telemetry means.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryFile {
    /// Up to this age a reading may exclude an endpoint.
    pub stale_after: Span,
    /// From this age on a reading is as good as none.
    pub forget_after: Span,
}

impl Default for TelemetryFile {
    fn default() -> Self {
        let TelemetryPolicy {
            stale_after,
            forget_after,
        } = TelemetryPolicy::default();
        Self {
            stale_after: Span(stale_after),
            forget_after: Span(forget_after),
        }
    }
}

impl From<&TelemetryFile> for TelemetryPolicy {
    fn from(file: &TelemetryFile) -> Self {
        Self {
            stale_after: file.stale_after.0,
            forget_after: file.forget_after.0,
        }
    }
}

/// When an endpoint is taken out of use.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HealthFile {
    /// Failed probes in a row that take an endpoint out.
    pub down_after: std::num::NonZeroU32,
    /// Failed requests in a row that open its breaker.
    pub open_after: std::num::NonZeroU32,
    /// How long the breaker first stays open.
    pub open_for: Span,
    /// The longest it stays open.
    pub open_at_most: Span,
    /// By how many percent these times vary, so that endpoints do not all come back in the same moment.
    pub jitter_percent: u8,
    /// Percent of a model's endpoints that have to be out before breakers and probes are no longer asked and requests
    /// spread over all that are not known to be gone; 0 for never.
    pub panic_percent: u8,
    /// Over how long the share of an endpoint that is new, restarted or back grows from a tenth to all.
    pub slow_start: Pause,
    /// The least silence of an endpoint with work in flight that turns requests away from it while there are others;
    /// several times what was predicted has to pass as well.
    pub silent_after: Span,
    /// How long an engine's own counters may stand still while it says that it runs requests, before requests are turned
    /// away from it while there are others.
    pub stalled_after: Span,
}

impl Default for HealthFile {
    fn default() -> Self {
        let HealthPolicy {
            down_after,
            open_after,
            open_for,
            open_at_most,
            jitter_percent,
            panic_percent,
            slow_start,
            silent_after,
            stalled_after,
        } = HealthPolicy::default();
        let percent = |percent: u32| u8::try_from(percent).unwrap_or(u8::MAX);
        let at_least_one = |count: u32| count.try_into().unwrap_or(std::num::NonZeroU32::MIN);
        Self {
            down_after: at_least_one(down_after),
            open_after: at_least_one(open_after),
            open_for: Span(open_for),
            open_at_most: Span(open_at_most),
            jitter_percent: percent(jitter_percent),
            panic_percent: percent(panic_percent),
            slow_start: Pause(slow_start),
            silent_after: Span(silent_after),
            stalled_after: Span(stalled_after),
        }
    }
}

impl From<&HealthFile> for HealthPolicy {
    fn from(file: &HealthFile) -> Self {
        Self {
            down_after: file.down_after.get(),
            open_after: file.open_after.get(),
            open_for: file.open_for.0,
            open_at_most: file.open_at_most.0,
            jitter_percent: file.jitter_percent.into(),
            panic_percent: file.panic_percent.into(),
            slow_start: file.slow_start.0,
            silent_after: file.silent_after.0,
            stalled_after: file.stalled_after.0,
        }
    }
}

/// The index of cached prefixes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PrefixFile {
    /// Memory it may use, in bytes.
    pub budget_bytes: usize,
}

impl Default for PrefixFile {
    fn default() -> Self {
        Self {
            budget_bytes: PrefixIndexConfig::default().budget_bytes,
        }
    }
}
