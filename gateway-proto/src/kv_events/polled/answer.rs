//! An answer, cut into events.

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use super::data::Data;

/// Why an answer, or an event of one, tells nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PolledError {
    /// It is not the JSON that it should be; the place is counted from the answer's or the event's data's start.
    #[error("no KV events: {0}")]
    Json(#[from] serde_json::Error),
    /// The events before it were of a shorter window, and were taken for those of whole prefixes.
    #[error("events of a window of {found} tokens behind stores of one of {before}")]
    Window {
        /// The greatest window before, in tokens.
        before: u32,
        /// The greater one.
        found: u32,
    },
}

/// One answer.
#[derive(Debug)]
pub struct Polled<'a> {
    /// The events that can be told apart, oldest first.
    pub events: Vec<PolledEvent<'a>>,
    /// Entries that are no events.
    pub unreadable: u64,
}

impl<'a> Polled<'a> {
    /// Reads an answer; what its events tell is read one by one.
    ///
    /// # Errors
    /// Where it is no list.
    pub fn parse(body: &'a [u8]) -> Result<Self, PolledError> {
        let entries: Vec<&RawValue> = serde_json::from_slice(body)?;
        let all = entries.len();
        let read = |entry: &'a RawValue| serde_json::from_str(entry.get()).ok();
        let events: Vec<PolledEvent<'_>> = entries.into_iter().filter_map(read).collect();
        let unreadable = (all - events.len()) as u64;
        Ok(Self { events, unreadable })
    }
}

/// One event, whose data is not read yet.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct PolledEvent<'a> {
    /// Its number, counted from 0 by each rank.
    #[serde(rename = "event_id")]
    pub seq: u64,
    /// The data-parallel rank, where there are several.
    #[serde(rename = "attention_dp_rank", default)]
    pub rank: Option<u32>,
    /// The attention window that it is about, in tokens.
    #[serde(rename = "window_size", default)]
    pub window: Option<u32>,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl PolledEvent<'_> {
    pub(super) fn data(&self) -> Result<Data, serde_json::Error> {
        Data::read(self.data.get())
    }
}
