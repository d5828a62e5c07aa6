//! What the tests share.

pub(crate) mod answerer;
pub(crate) mod memory;
pub(crate) mod reports;
pub(crate) mod rig;
pub(crate) mod script;
pub(crate) mod sim;
pub(crate) mod table;
pub(crate) mod wire;

use std::{future::Future, time::Duration};

/// Waits for what must come. The bound only turns a hang into a failure; nothing depends on its length.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("what a test waits for comes")
}
