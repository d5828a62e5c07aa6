//! Numbers as reports have them: any of them may be missing, null, or of another type in another version.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A count; what is none is unknown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count(pub(super) Option<u64>);

/// A share of 0 to 1; what is none is unknown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Share(pub(super) Option<f32>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Value::deserialize(deserializer)?.as_u64()))
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let told = Value::deserialize(deserializer)?.as_f64();
        // A little above 1 is rounding.
        let sane = told.filter(|share| (0.0..=1.5).contains(share));
        Ok(Self(sane.map(|share| share.min(1.0) as f32)))
    }
}

impl Count {
    /// As a number of requests.
    pub(super) fn requests(self) -> Option<u32> {
        self.0.and_then(|count| u32::try_from(count).ok())
    }
}

/// The sum of those that are known; `None` where none is.
pub(super) fn sum(counts: impl IntoIterator<Item = Option<u64>>) -> Option<u64> {
    let known = counts.into_iter().flatten();
    known.fold(None, |sum: Option<u64>, count| {
        Some(sum.unwrap_or(0).saturating_add(count))
    })
}

/// The same for requests.
pub(super) fn requests(counts: impl IntoIterator<Item = Count>) -> Option<u32> {
    Count(sum(counts.into_iter().map(|count| count.0))).requests()
}

/// `used` of `all`, where that makes sense.
pub(super) fn share(used: Option<u64>, all: Option<u64>) -> Option<f32> {
    let all = all.filter(|all| *all > 0)?;
    let used = used?.min(all);
    Some((used as f64 / all as f64) as f32)
}
