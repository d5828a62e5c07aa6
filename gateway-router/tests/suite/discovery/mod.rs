//! Finding endpoints: sources against servers that the tests play.

#[cfg(feature = "dns")]
mod dns;
#[cfg(feature = "dns")]
mod name_server;

#[cfg(feature = "kubernetes")]
mod api_server;
#[cfg(feature = "kubernetes")]
mod kubernetes;

use gateway_router::discovery::{Seen, Sightings};
use tokio::sync::watch;

use super::common::within;

/// Waits until the source says what `is_it` waits for.
async fn until(
    heard: &mut watch::Receiver<Sightings<Seen>>,
    is_it: impl FnMut(&Sightings<Seen>) -> bool,
) -> Sightings<Seen> {
    let now = within(heard.wait_for(is_it)).await;
    now.expect("the source lives").clone()
}

fn places(sightings: &Sightings<Seen>) -> Vec<String> {
    let seen = sightings.list.iter();
    seen.map(|one| format!("{} {}", one.name, one.authority()))
        .collect()
}
