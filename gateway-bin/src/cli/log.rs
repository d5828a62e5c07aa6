//! Where log lines go and how they look.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::{
    Layer as _, Registry,
    filter::Targets,
    fmt::{self, time::FormatTime},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::config::{LogConfig, LogFormat};

/// Sends log lines to standard error: text with colours on a terminal, one JSON object a line elsewhere.
pub(super) fn start(config: &LogConfig) -> anyhow::Result<()> {
    let terminal = std::io::stderr().is_terminal();
    let json = match config.format {
        LogFormat::Auto => !terminal,
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    let targets: Targets = config.level.parse().context("log.level")?;
    let layer = if json {
        let layer = fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false);
        layer.with_timer(Utc).with_writer(std::io::stderr).boxed()
    } else {
        fmt::layer()
            .compact()
            .with_ansi(terminal)
            .with_target(false)
            .with_timer(TimeOfDay)
            .with_writer(std::io::stderr)
            .boxed()
    };
    Registry::default()
        .with(layer.with_filter(targets))
        .try_init()
        .context("logging cannot start")
}

/// RFC 3339, for machines.
struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, writer: &mut fmt::format::Writer<'_>) -> std::fmt::Result {
        write!(writer, "{:.3}", jiff::Timestamp::now())
    }
}

/// Hours, minutes and seconds (UTC), for people.
struct TimeOfDay;

impl FormatTime for TimeOfDay {
    fn format_time(&self, writer: &mut fmt::format::Writer<'_>) -> std::fmt::Result {
        let seconds = crate::clock::unix_seconds().rem_euclid(86_400);
        write!(
            writer,
            "{:02}:{:02}:{:02}",
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        )
    }
}
