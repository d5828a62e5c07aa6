//! Endpoints at a Kubernetes API server: pods, or the addresses behind a service, by label.
//!
//! List once, then watch from there on; where the server has forgotten that version (410), list again. No client library:
//! three kinds of objects are read, a few fields of each.

mod api;
mod events;
mod objects;
mod settings;

use std::{collections::BTreeMap, time::Duration};

use tokio::time::sleep;

use self::{
    api::Api,
    events::{Event, Events},
    objects::Object,
};
pub use self::{
    api::KubernetesError,
    settings::{KubernetesPort, KubernetesSettings, Resource},
};
use super::{Reporter, SEEN_AT_MOST, Seen, pause::Pause};

/// The first pause after a failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// The most objects that are kept. More than a source may list, so that what is left out is counted and takes the places of
/// those that go.
const OBJECTS_AT_MOST: usize = 4 * SEEN_AT_MOST;

/// What an API server is asked for and watched for.
pub struct Kubernetes {
    api: Api,
    settings: KubernetesSettings,
}

impl Kubernetes {
    /// A source for `settings`.
    #[must_use]
    pub fn new(settings: KubernetesSettings) -> Self {
        Self {
            api: Api::new(&settings),
            settings,
        }
    }

    /// Reports who is ready until the task is aborted. Who was ready last stays listed while the server cannot be reached.
    pub async fn follow(self, reporter: Reporter<Seen>) {
        let mut pause = Pause::new(&self.settings.selector, PAUSES.0, PAUSES.1);
        let mut known = Known::default();
        loop {
            let error = match self.turn(&mut known, &reporter, &mut pause).await {
                Ok(()) => continue,
                Err(error) => error,
            };
            if matches!(error, KubernetesError::Gone) {
                // What is known may lack what was deleted meanwhile.
                known.version = None;
                if !std::mem::take(&mut known.has_news) {
                    // A server that forgets what it has just listed is not to be asked without pause.
                    sleep(pause.after_failure()).await;
                }
                continue;
            }
            tracing::debug!(selector = self.settings.selector, %error, "Kubernetes cannot be asked");
            reporter.failed();
            sleep(pause.after_failure()).await;
        }
    }

    /// Lists where there is no version to go on from, else watches until the server ends the watch.
    async fn turn(
        &self,
        known: &mut Known,
        reporter: &Reporter<Seen>,
        pause: &mut Pause,
    ) -> Result<(), KubernetesError> {
        let Some(version) = known.version.clone() else {
            let (objects, version) = self.api.list().await?;
            *known = Known::of(objects, version, &self.settings);
            reporter.saw(known.seen());
            return Ok(());
        };
        let mut events = Events::new(self.api.watch(&version).await?);
        while let Some(event) = events.next().await? {
            known.take(event, &self.settings)?;
            known.has_news = true;
            pause.after(Duration::ZERO);
            reporter.saw(known.seen());
        }
        // Some servers, and proxies before them, end watches at once.
        sleep(pause.after(Duration::ZERO)).await;
        Ok(())
    }
}

/// The objects of the newest version.
#[derive(Default)]
struct Known {
    version: Option<String>,
    objects: BTreeMap<String, Vec<Seen>>,
    /// Whether a watch has told anything since the last list.
    has_news: bool,
}

impl Known {
    fn of(objects: Vec<Object>, version: String, settings: &KubernetesSettings) -> Self {
        let mut known = Self {
            version: Some(version),
            ..Self::default()
        };
        for object in objects {
            known.put(&object, settings);
        }
        known
    }

    fn put(&mut self, object: &Object, settings: &KubernetesSettings) {
        if self.objects.len() < OBJECTS_AT_MOST || self.objects.contains_key(&object.key()) {
            self.objects.insert(object.key(), object.seen(settings));
        }
    }

    fn take(&mut self, event: Event, settings: &KubernetesSettings) -> Result<(), KubernetesError> {
        let object = match event {
            Event::Changed(object) => {
                self.put(&object, settings);
                object
            }
            Event::Deleted(object) => {
                self.objects.remove(&object.key());
                object
            }
            Event::Bookmark(object) => object,
            Event::Failed(error) => return Err(error),
        };
        self.version = object.version().or(self.version.take());
        Ok(())
    }

    /// Everybody ready, once each: a pod may be listed in several slices of a service.
    fn seen(&self) -> Vec<Seen> {
        let all = self.objects.values().flatten();
        let by_name: BTreeMap<&str, &Seen> = all.map(|seen| (&*seen.name, seen)).collect();
        by_name.into_values().cloned().collect()
    }
}
