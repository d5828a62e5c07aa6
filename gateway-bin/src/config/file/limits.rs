//! Sizes and times at the front door, and the process's own habits.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use gateway_proto::openai::ViewLimits;
use gateway_router::{SizeLimits, TextBlocks};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Address, Pause, Span};
use crate::config::{DrainConfig, LogConfig, LogFormat, ServeLimits};

/// Sizes and times at the front door.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsFile {
    /// The largest request body, in bytes.
    pub request_bytes: usize,
    /// The largest reply that is not streamed, in bytes.
    pub reply_bytes: usize,
    /// The largest event of a stream, in bytes.
    pub event_bytes: usize,
    /// The most headers of a request.
    pub headers: NonZeroUsize,
    /// The most bytes of a request's head, 8192 at least.
    pub header_bytes: usize,
    /// How long a request's head may take to arrive, the wait on an idle connection included.
    pub header_timeout: Span,
    /// How long a request's body may take to arrive.
    pub body_timeout: Span,
    /// How long a client may take nothing of a reply before its connection is closed and its request cancelled.
    pub write_timeout: Span,
    /// The most open client connections. Read at the start only.
    pub connections: NonZeroUsize,
    /// Idle connections kept per endpoint and thread.
    pub idle_connections: usize,
    /// The deepest nesting of a request's JSON.
    pub json_depth: NonZeroUsize,
    /// The most choices (`n`) of a request.
    pub choices: NonZeroU32,
}

impl Default for LimitsFile {
    fn default() -> Self {
        let (sizes, view) = (SizeLimits::default(), ViewLimits::default());
        Self {
            request_bytes: sizes.request_bytes,
            reply_bytes: sizes.reply_bytes,
            event_bytes: sizes.event_bytes,
            headers: at_least_one(100),
            header_bytes: 32 << 10,
            header_timeout: Span(Duration::from_secs(75)),
            body_timeout: Span(Duration::from_secs(60)),
            write_timeout: Span(Duration::from_secs(60)),
            connections: at_least_one(16_384),
            idle_connections: sizes.idle_connections,
            json_depth: at_least_one(view.depth),
            choices: NonZeroU32::new(view.n).unwrap_or(NonZeroU32::MIN),
        }
    }
}

fn at_least_one(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN)
}

impl From<&LimitsFile> for ServeLimits {
    fn from(file: &LimitsFile) -> Self {
        Self {
            request_bytes: file.request_bytes,
            headers: file.headers.get(),
            header_bytes: file.header_bytes,
            header_timeout: file.header_timeout.0,
            body_timeout: file.body_timeout.0,
            write_timeout: file.write_timeout.0,
            connections: file.connections.get(),
            view: ViewLimits {
                depth: file.json_depth.get(),
                n: file.choices.get(),
                ..ViewLimits::default()
            },
        }
    }
}

impl From<&LimitsFile> for SizeLimits {
    fn from(file: &LimitsFile) -> Self {
        Self {
            request_bytes: file.request_bytes,
            reply_bytes: file.reply_bytes,
            event_bytes: file.event_bytes,
            idle_connections: file.idle_connections,
        }
    }
}

/// How prompts are cut into blocks for prefix matching.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TextFile {
    /// Bytes of one block.
    pub block_bytes: NonZeroU32,
    /// Bytes that one token is taken to be.
    pub bytes_per_token: NonZeroU32,
    /// Blocks hashed at most; what lies behind takes no part in prefix matching.
    pub blocks_at_most: u32,
}

impl Default for TextFile {
    fn default() -> Self {
        let TextBlocks {
            block_bytes,
            bytes_per_token,
            blocks_at_most,
        } = TextBlocks::default();
        let at_least_one = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        Self {
            block_bytes: at_least_one(block_bytes),
            bytes_per_token: at_least_one(bytes_per_token),
            blocks_at_most,
        }
    }
}

impl From<&TextFile> for TextBlocks {
    fn from(file: &TextFile) -> Self {
        Self {
            block_bytes: file.block_bytes.get(),
            bytes_per_token: file.bytes_per_token.get(),
            blocks_at_most: file.blocks_at_most,
        }
    }
}

/// How the gateway stops on SIGTERM and SIGINT.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DrainFile {
    /// How long connections are still accepted after `/ready` has begun to fail, so that load balancers notice first.
    pub delay: Pause,
    /// How long requests and streams in flight may then take to finish.
    pub deadline: Pause,
}

impl Default for DrainFile {
    fn default() -> Self {
        Self {
            delay: Pause(Duration::ZERO),
            deadline: Pause(Duration::from_secs(60)),
        }
    }
}

impl From<&DrainFile> for DrainConfig {
    fn from(file: &DrainFile) -> Self {
        Self {
            delay: file.delay.0,
            deadline: file.deadline.0,
        }
    }
}

/// What is logged.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogFile {
    /// How lines look.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`, or directives such as `info,gateway_router=debug`.
    pub level: String,
}

impl Default for LogFile {
    fn default() -> Self {
        Self {
            format: LogFormat::Auto,
            level: "info".to_owned(),
        }
    }
}

impl From<&LogFile> for LogConfig {
    fn from(file: &LogFile) -> Self {
        Self {
            format: file.format,
            level: file.level.clone(),
        }
    }
}

/// Where metrics are served.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsFile {
    /// An address of its own for `/metrics`. Where unset, it is served beside the clients' routes and needs no key.
    pub listen: Option<Address>,
}
