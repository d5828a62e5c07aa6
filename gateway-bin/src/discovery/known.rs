//! What the configuration leaves open about engines, and what they said of it.

use std::collections::{HashMap, HashSet};

use gateway_core::{Endpoint, Fleet};
use gateway_router::{Detected, EndpointSettings, RouterSettings};

use super::asking::{Answer, Question};
use crate::config::{Config, EndpointConfig};

/// Which engine said something: another process at the same address may serve other models. One that is listed under two
/// names is asked for each, as each has a health and renewals of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    name: String,
    url: String,
    rank: Option<u32>,
    process: Option<String>,
}

impl Key {
    pub(super) fn of(endpoint: &EndpointConfig) -> Self {
        let EndpointSettings { spec, target, .. } = &endpoint.settings;
        Self {
            name: spec.name.clone(),
            url: target.to_string(),
            rank: target.rank(),
            process: target.process().map(str::to_owned),
        }
    }
}

/// What engines said of themselves.
#[derive(Debug, Default)]
pub(crate) struct Known(HashMap<Key, Told>);

#[derive(Debug)]
struct Told {
    found: Detected,
    /// How the engine stood when it was asked.
    asked: Standing,
    /// Whether the fleet has not been told yet.
    is_new: bool,
}

/// What tells whether an answer is of now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    /// The engine's renewals: an answer holds until the next one.
    renewals: u64,
    /// Adapters added so far: a list lacks those that come after it was asked for.
    added: u64,
}

impl Standing {
    fn of(listed: &Endpoint) -> Self {
        let state = listed.state();
        Self {
            renewals: state.renewals(),
            added: state.adapters().added(),
        }
    }
}

impl Known {
    /// What is to be asked: engines that have not answered yet, and those that may be others than those which answered, as
    /// `fleet` has seen them.
    pub(crate) fn questions(
        &self,
        endpoints: &[EndpointConfig],
        fleet: Option<&Fleet>,
    ) -> Vec<Question> {
        let question = |endpoint: &EndpointConfig| {
            let key = Key::of(endpoint);
            let listed = fleet.and_then(|fleet| fleet.by_name(&endpoint.settings.spec.name));
            let now = listed.map(|one| Standing::of(one)).unwrap_or_default();
            let told = self.0.get(&key);
            let is_known = told.is_some_and(|told| told.asked.renewals == now.renewals);
            let is_open = endpoint.discovery.is_needed() && !is_known;
            is_open.then(|| Question::new(endpoint, key, now))
        };
        endpoints.iter().filter_map(question).collect()
    }

    /// Takes in what engines answered; one that does not answer anew is taken for what it was. Says whether any of it is
    /// news.
    pub(crate) fn learn(&mut self, answers: Vec<Answer>) -> bool {
        let mut is_news = false;
        for answer in answers {
            let name = &answer.name;
            let found = match answer.found {
                Ok(found) => found,
                Err(error) => {
                    tracing::debug!(endpoint = %name, %error, "engine does not say what it is yet");
                    continue;
                }
            };
            let told = self.0.get_mut(&answer.key);
            if let Some(told) = told.filter(|told| told.found == found) {
                told.asked = answer.asked;
                continue;
            }
            let models: Vec<_> = found.models.iter().map(|card| card.id.as_str()).collect();
            tracing::info!(endpoint = %name, kind = found.kind.name(), models = models.join(","), "engine found");
            let told = Told {
                found,
                asked: answer.asked,
                is_new: true,
            };
            self.0.insert(answer.key, told);
            is_news = true;
        }
        is_news
    }

    /// The endpoints that nothing is known of yet.
    pub(crate) fn open_names<'a>(&self, endpoints: &'a [EndpointConfig]) -> Vec<&'a str> {
        let is_open = |endpoint: &&EndpointConfig| {
            endpoint.discovery.is_needed() && !self.0.contains_key(&Key::of(endpoint))
        };
        let open = endpoints.iter().filter(is_open);
        open.map(|endpoint| endpoint.settings.spec.name.as_str())
            .collect()
    }

    /// Forgets engines that nobody lists any more.
    pub(crate) fn retain(&mut self, endpoints: &[EndpointConfig]) {
        let listed: HashSet<_> = endpoints.iter().map(Key::of).collect();
        self.0.retain(|key, _| listed.contains(key));
    }

    /// Tells the fleet the LoRA adapters of engines that have just answered, and of those whose list nobody has read yet.
    pub(crate) fn seed(&mut self, endpoints: &[EndpointConfig], fleet: &Fleet) {
        for endpoint in endpoints {
            let told = self.0.get_mut(&Key::of(endpoint));
            let listed = fleet.by_name(&endpoint.settings.spec.name);
            let (Some(told), Some(listed)) = (told, listed) else {
                continue;
            };
            let adapters = listed.state().adapters();
            let is_current = told.is_new && adapters.added() == told.asked.added;
            told.is_new = false;
            if is_current || !adapters.is_told() {
                let cards = told.found.models.iter();
                let names = cards.filter(|card| card.parent.is_some());
                adapters.set(names.map(|card| card.id.as_str()));
            }
        }
    }

    /// The router's settings with what is known so far. An engine that has not answered serves no model yet.
    pub(crate) fn settings(&self, config: &Config, endpoints: &[EndpointConfig]) -> RouterSettings {
        let endpoints = endpoints
            .iter()
            .map(|endpoint| match self.0.get(&Key::of(endpoint)) {
                Some(told) if endpoint.discovery.is_needed() => filled(endpoint, &told.found),
                _ => endpoint.settings.clone(),
            });
        RouterSettings {
            endpoints: endpoints.collect(),
            ..config.router.clone()
        }
    }
}

/// What is written counts; the rest is as found. Models with a parent are LoRA adapters, which come and go.
fn filled(endpoint: &EndpointConfig, found: &Detected) -> EndpointSettings {
    let mut settings = endpoint.settings.clone();
    if endpoint.discovery.kind {
        settings.kind = found.kind;
    }
    if endpoint.discovery.models {
        let models = found.models.iter().filter(|card| card.parent.is_none());
        settings.spec.models = models.map(|card| card.id.clone()).collect();
    }
    let longest = found
        .models
        .iter()
        .filter_map(|card| card.max_model_len)
        .max();
    let longest = longest.and_then(|tokens| u32::try_from(tokens).ok());
    settings.spec.context_tokens = settings.spec.context_tokens.or(longest);
    settings
}

#[cfg(test)]
mod tests;
