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
use crate::config::{EndpointConfig, SourceConfig, SourceKind, Template};

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
    /// What a source of that name was told and saw before this one, which stands in until it has answered.
    before: Option<Before>,
    tasks: [AbortHandle; 2],
}

/// What a source lists.
#[derive(Clone, Debug)]
enum Heard {
    Places(watch::Receiver<Sightings<Seen>>),
    Endpoints(watch::Receiver<Sightings<EndpointConfig>>),
}

#[derive(Clone, Debug)]
struct Before {
    template: Option<Template>,
    heard: Heard,
}

impl Heard {
    fn has_answered(&self) -> bool {
        match self {
            Self::Places(heard) => heard.borrow().has_answered,
            Self::Endpoints(heard) => heard.borrow().has_answered,
        }
    }

    /// The endpoints of the source `name`.
    fn endpoints(&self, name: &str, template: Option<&Template>) -> Vec<EndpointConfig> {
        match (self, template) {
            (Self::Endpoints(heard), _) => heard.borrow().list.to_vec(),
            (Self::Places(heard), Some(template)) => {
                let list = Arc::clone(&heard.borrow().list);
                let filled = list.iter().flat_map(|seen| template.fill(name, seen));
                filled.collect()
            }
            (Self::Places(_), None) => Vec::new(),
        }
    }
}

impl Running {
    fn endpoints(&self) -> Vec<EndpointConfig> {
        let (name, template) = (&self.config.name, self.config.template.as_ref());
        match &self.before {
            Some(before) if !self.heard.has_answered() => {
                let template = template.or(before.template.as_ref());
                before.heard.endpoints(name, template)
            }
            _ => self.heard.endpoints(name, template),
        }
    }

    /// What stands in for another source of that name until it has answered.
    fn stand_in(&self) -> Option<Before> {
        if !self.heard.has_answered() {
            return self.before.clone();
        }
        Some(Before {
            template: self.config.template.clone(),
            heard: self.heard.clone(),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Sources {
    /// Follows these sources: goes on with those that are as before, begins with new ones, ends the rest. What a source saw
    /// counts until one of its name that is told otherwise has answered.
    pub(crate) fn follow(&mut self, sources: &[SourceConfig]) {
        let mut before = std::mem::take(&mut self.running);
        for config in sources {
            let of_name = before.iter().position(|old| old.config.name == config.name);
            let running = match of_name.map(|at| before.swap_remove(at)) {
                Some(mut old) if old.config.kind == config.kind => {
                    old.config = config.clone();
                    old
                }
                old => {
                    let stand_in = old.and_then(|old| old.stand_in());
                    start(config.clone(), stand_in, &self.bell)
                }
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
        let all = self.running.iter();
        all.map(|source| (source.config.name.as_str(), source.endpoints()))
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

fn start(config: SourceConfig, before: Option<Before>, bell: &Arc<Notify>) -> Running {
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
        before,
        tasks: tasks.map(|task| task.abort_handle()),
    }
}

async fn ring<T>(mut heard: watch::Receiver<Sightings<T>>, bell: Arc<Notify>) {
    while heard.changed().await.is_ok() {
        bell.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    fn file(path: &Path) -> [SourceConfig; 1] {
        [SourceConfig {
            name: "rack".to_owned(),
            kind: SourceKind::File(path.to_owned()),
            template: None,
        }]
    }

    fn names(sources: &Sources) -> Vec<String> {
        let all = sources.endpoints().into_iter();
        let names = all.flat_map(|(_, list)| list.into_iter().map(|one| one.settings.spec.name));
        names.collect()
    }

    #[tokio::test]
    async fn a_source_that_is_told_otherwise_lists_what_it_did_until_it_answers() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let write =
            |name, one| fs::write(path(name), format!("- {{name: {one}, url: http://h}}\n"));
        write("first", "a").expect("written");
        let mut sources = Sources::default();
        sources.follow(&file(&path("first")));
        sources.first_answers().await;
        assert_eq!(names(&sources), ["a"]);
        // Neither of the next two is there, and what stands in is handed on.
        for missing in ["second", "third"] {
            sources.follow(&file(&path(missing)));
            assert_eq!(names(&sources), ["a"]);
            sources.first_answers().await;
            assert_eq!(names(&sources), ["a"], "it could not be asked");
        }
        write("third", "b").expect("written");
        while names(&sources) != ["b"] {
            sources.news().await;
        }
        sources.follow(&[]);
        assert_eq!(names(&sources), [""; 0], "it is listed no more");
    }
}
