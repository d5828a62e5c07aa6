//! Reload: by signal and by a look at the file each second.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{sync::Notify, task, time};

use crate::{
    config::{self, Environment},
    gate::Gate,
    gateway::ReloadFrom,
    steward::Orders,
};

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where a configuration comes from, and what was last seen of it.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    listen: Option<SocketAddr>,
    stamp: Option<(SystemTime, u64)>,
    digest: u64,
}

impl Source {
    pub(crate) fn new(from: ReloadFrom) -> Self {
        Self {
            stamp: stamp(&from.path),
            digest: digest(&from.text),
            path: from.path,
            listen: from.listen,
        }
    }

    /// The file's text, if it has changed since the last look.
    fn changed(&mut self) -> Option<String> {
        let now = stamp(&self.path);
        if now.is_none() || now == self.stamp {
            return None;
        }
        // Editors write in steps: what cannot be read now is looked at again, and an emptied file is most likely one
        // that is being written.
        let text = std::fs::read_to_string(&self.path)
            .ok()
            .filter(|text| !text.trim().is_empty())?;
        self.stamp = now;
        let digest = digest(&text);
        (std::mem::replace(&mut self.digest, digest) != digest).then_some(text)
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Reloads until the process ends: at once when `asked`, and whenever the file's content changes.
pub(crate) async fn watch(mut source: Source, asked: Arc<Notify>, gate: Arc<Gate>, orders: Orders) {
    loop {
        let text = tokio::select! {
            () = asked.notified() => std::fs::read_to_string(&source.path).map(Some),
            () = time::sleep(LOOK_EVERY) => Ok(source.changed()),
        };
        let taken = match text {
            Ok(None) => continue,
            Ok(Some(text)) => take(text, &source, &gate, &orders).await,
            Err(error) => Err(anyhow::Error::new(error).context(source.path.display().to_string())),
        };
        gate.metrics.door.reloaded(taken.is_ok());
        match taken {
            Ok(()) => tracing::info!(file = %source.path.display(), "configuration reloaded"),
            Err(error) => tracing::error!("reload refused, nothing changed: {error:#}"),
        }
    }
}

/// Models' files may be large: they are read off this thread, which watches the engines.
async fn take(text: String, source: &Source, gate: &Gate, orders: &Orders) -> anyhow::Result<()> {
    let (path, rules) = (source.path.clone(), gate.rules.load_full());
    let read = move || config::read_again(&text, &path, &Environment::Process, &rules.models);
    let mut config = task::spawn_blocking(read).await??;
    config.listen = source.listen.unwrap_or(config.listen);
    Ok(orders.take(config).await?)
}
