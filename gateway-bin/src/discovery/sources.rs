//! The sources under way.

use std::sync::Arc;

#[cfg(feature = "kubernetes")]
use gateway_router::discovery::Kubernetes;
use gateway_router::discovery::{Dns, Reporter, Seen, Sightings};
use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
};

use super::{SourceStatus, file};
use crate::config::{EndpointConfig, SourceConfig, SourceKind};

/// One task for each source, and one bell for all.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    running: Vec<Running>,
    bell: Arc<Notify>,
}

#[derive(Debug)]
struct Running {
    config: SourceConfig,
    heard: Heard,
    tasks: [AbortHandle; 2],
}

/// What a source lists.
#[derive(Debug)]
enum Heard {
    Places(watch::Receiver<Sightings<Seen>>),
    Endpoints(watch::Receiver<Sightings<EndpointConfig>>),
}

impl Drop for Running {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Sources {
    /// Follows these sources: goes on with those that are as before, begins with new ones, ends the rest.
    pub(crate) fn follow(&mut self, sources: &[SourceConfig]) {
        let mut before = std::mem::take(&mut self.running);
        for config in sources {
            let same =
                |old: &Running| old.config.name == config.name && old.config.kind == config.kind;
            let running = match before.iter().position(same) {
                Some(at) => {
                    let mut old = before.swap_remove(at);
                    old.config = config.clone();
                    old
                }
                None => start(config.clone(), &self.bell),
            };
            self.running.push(running);
        }
    }

    /// Waits until a source has news; the same as never where there is none.
    pub(crate) async fn news(&self) {
        self.bell.notified().await;
    }

    /// Waits until each source has answered or failed.
    pub(crate) async fn first_answers(&self) {
        for source in &self.running {
            // A source that has ended says no more.
            match &source.heard {
                Heard::Places(heard) => drop(heard.clone().wait_for(is_known).await),
                Heard::Endpoints(heard) => drop(heard.clone().wait_for(is_known).await),
            }
        }
    }

    /// How often lists have changed, all together.
    pub(crate) fn changes(&self) -> u64 {
        self.status().iter().map(|source| source.changes).sum()
    }

    /// The endpoints of each source, by its name.
    pub(crate) fn endpoints(&self) -> Vec<(&str, Vec<EndpointConfig>)> {
        let of = |source: &Running| match (&source.heard, &source.config.template) {
            (Heard::Endpoints(heard), _) => heard.borrow().list.to_vec(),
            (Heard::Places(heard), Some(template)) => {
                let (list, name) = (heard.borrow().list.clone(), &source.config.name);
                list.iter()
                    .flat_map(|seen| template.fill(name, seen))
                    .collect()
            }
            (Heard::Places(_), None) => Vec::new(),
        };
        let all = self.running.iter();
        all.map(|source| (source.config.name.as_str(), of(source)))
            .collect()
    }

    /// How they fare.
    pub(crate) fn status(&self) -> Vec<SourceStatus> {
        let of = |source: &Running| match &source.heard {
            Heard::Places(heard) => SourceStatus::of(&source.config, &heard.borrow()),
            Heard::Endpoints(heard) => SourceStatus::of(&source.config, &heard.borrow()),
        };
        self.running.iter().map(of).collect()
    }
}

fn is_known<T>(now: &Sightings<T>) -> bool {
    now.has_answered || now.failures > 0
}

fn start(config: SourceConfig, bell: &Arc<Notify>) -> Running {
    tracing::info!(
        source = config.name,
        kind = config.kind.name(),
        "looking for endpoints"
    );
    let (heard, tasks) = match config.kind.clone() {
        SourceKind::File(path) => {
            let (reporter, heard) = Reporter::new();
            let task = tokio::spawn(file::follow(path, reporter));
            let ring = tokio::spawn(ring(heard.clone(), Arc::clone(bell)));
            (Heard::Endpoints(heard), [task, ring])
        }
        SourceKind::Dns(settings) => {
            let (reporter, heard) = Reporter::new();
            let task = tokio::spawn(async move {
                match Dns::new(settings) {
                    Ok(source) => source.follow(reporter).await,
                    Err(error) => {
                        tracing::error!(%error, "the source cannot be asked");
                        reporter.failed();
                    }
                }
            });
            let ring = tokio::spawn(ring(heard.clone(), Arc::clone(bell)));
            (Heard::Places(heard), [task, ring])
        }
        #[cfg(feature = "kubernetes")]
        SourceKind::Kubernetes(settings) => {
            let (reporter, heard) = Reporter::new();
            let task = tokio::spawn(Kubernetes::new(settings).follow(reporter));
            let ring = tokio::spawn(ring(heard.clone(), Arc::clone(bell)));
            (Heard::Places(heard), [task, ring])
        }
    };
    Running {
        config,
        heard,
        tasks: tasks.map(|task| task.abort_handle()),
    }
}

async fn ring<T>(mut heard: watch::Receiver<Sightings<T>>, bell: Arc<Notify>) {
    while heard.changed().await.is_ok() {
        bell.notify_one();
    }
}
