//! A file that lists endpoints, watched.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use gateway_router::discovery::Reporter;
use tokio::{task, time};

use crate::config::{self, EndpointConfig, Environment};

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Reports what the file lists until the task is aborted. What cannot be read leaves the list as it is.
pub(super) async fn follow(path: PathBuf, reporter: Reporter<EndpointConfig>) {
    let path = Arc::new(path);
    let (mut last, mut is_broken) = (None, false);
    loop {
        let (file, before) = (Arc::clone(&path), last);
        let looked = task::spawn_blocking(move || look(&file, before)).await;
        match looked {
            // Nothing panics in there.
            Ok(Ok(None)) | Err(_) => {}
            Ok(Ok(Some((stamp, endpoints)))) => {
                (last, is_broken) = (Some(stamp), false);
                reporter.changed(endpoints);
            }
            // The same trouble is told once.
            Ok(Err((stamp, _))) if is_broken && stamp == last => {}
            Ok(Err((stamp, error))) => {
                (last, is_broken) = (stamp, true);
                tracing::error!("endpoints not read, the last ones stay: {error:#}");
                reporter.failed();
            }
        }
        time::sleep(LOOK_EVERY).await;
    }
}

/// When the file was changed, and its length.
type Stamp = (SystemTime, u64);
/// What a file lists.
type Listed = (Stamp, Vec<EndpointConfig>);
/// Why a file is not read, and which one, where there is any.
type Unread = (Option<Stamp>, anyhow::Error);

/// The file's list, where it is another file than `before`.
fn look(path: &Path, before: Option<Stamp>) -> Result<Option<Listed>, Unread> {
    let unreadable = |error: io::Error| {
        let error = anyhow::Error::new(error).context(path.display().to_string());
        (None, error)
    };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    let stamp = (metadata.modified().map_err(unreadable)?, metadata.len());
    if before == Some(stamp) {
        return Ok(None);
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    if text.trim().is_empty() {
        // Most likely it is being written.
        return Ok(None);
    }
    match config::read_endpoints(&text, path, &Environment::Process) {
        Ok(endpoints) => Ok(Some((stamp, endpoints))),
        Err(error) => Err((Some(stamp), error.into())),
    }
}
