//! The one place of this crate that asks for the time of day.

use std::time::{SystemTime, UNIX_EPOCH};

use gateway_proto::text::template::LocalTime;
use jiff::{Timestamp, tz::TimeZone};

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is the binary's clock")]
pub(crate) fn unix_seconds() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The time of day here, as templates print it.
pub(crate) fn local_time() -> LocalTime {
    let now = unix_seconds();
    let zone = TimeZone::system();
    let offset = Timestamp::from_second(now).map(|now| zone.to_offset(now).seconds());
    LocalTime::from_unix(now, offset.unwrap_or(0))
}
