//! Where log lines go and how they look.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::{
    Layer as _, Registry,
    filter::Targets,
    fmt::{self, format::FmtSpan, time::FormatTime},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use super::{
    lines::LostLines,
    writer::{self, Flush},
};
use crate::config::{LogConfig, LogFormat};

/// The log of the process. Dropping it writes what is queued.
#[derive(Debug)]
#[must_use]
pub(crate) struct Log {
    /// Lines that found no room.
    pub(crate) lost: LostLines,
    _flush: Flush,
}

/// Sends log lines to standard error: text with colours on a terminal, one JSON object a line elsewhere.
pub(crate) fn start(config: &LogConfig) -> anyhow::Result<Log> {
    let terminal = std::io::stderr().is_terminal();
    let json = match config.format {
        LogFormat::Auto => !terminal,
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    let targets: Targets = config.level.parse().context("log.level")?;
    let (lines, flush) = writer::spawn(std::io::stderr()).context("the log's thread")?;
    let log = Log {
        lost: lines.lost.clone(),
        _flush: flush,
    };
    let layer = if json {
        let layer = fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_span_events(FmtSpan::CLOSE);
        layer.with_timer(Utc).with_writer(lines).boxed()
    } else {
        fmt::layer()
            .compact()
            .with_ansi(terminal)
            .with_target(false)
            .with_span_events(FmtSpan::CLOSE)
            .with_timer(TimeOfDay)
            .with_writer(lines)
            .boxed()
    };
    Registry::default()
        .with(layer.with_filter(targets))
        .try_init()
        .context("logging cannot start")?;
    Ok(log)
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
