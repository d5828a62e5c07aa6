//! What the configuration leaves open about engines, and what they said of it.

use std::collections::{HashMap, HashSet};

use gateway_core::Fleet;
use gateway_router::{Detected, EndpointSettings, RouterSettings};

use super::asking::{Answer, Question};
use crate::config::{Config, EndpointConfig};

/// Which engine said something: another process at the same address may serve other models.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    url: String,
    rank: Option<u32>,
    process: Option<String>,
}

impl Key {
    pub(super) fn of(endpoint: &EndpointConfig) -> Self {
        let target = &endpoint.settings.target;
        Self {
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
    /// The engine's renewals when it was asked.
    renewals: u64,
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
            let renewals = listed.map_or(0, |listed| listed.state().renewals());
            let is_known = self
                .0
                .get(&key)
                .is_some_and(|told| told.renewals == renewals);
            let is_open = endpoint.discovery.is_needed() && !is_known;
            is_open.then(|| Question::new(endpoint, key, renewals))
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
                told.renewals = answer.renewals;
                continue;
            }
            let models: Vec<_> = found.models.iter().map(|card| card.id.as_str()).collect();
            tracing::info!(endpoint = %name, kind = found.kind.name(), models = models.join(","), "engine found");
            let told = Told {
                found,
                renewals: answer.renewals,
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

    /// Tells the fleet the LoRA adapters of engines whose list nobody has read yet.
    pub(crate) fn seed(&self, endpoints: &[EndpointConfig], fleet: &Fleet) {
        for endpoint in endpoints {
            let found = self.0.get(&Key::of(endpoint));
            let listed = fleet.by_name(&endpoint.settings.spec.name);
            if let (Some(Told { found, .. }), Some(listed)) = (found, listed)
                && !listed.state().adapters().is_told()
            {
                let adapters = found.models.iter().filter(|card| card.parent.is_some());
                let names = adapters.map(|card| card.id.as_str());
                listed.state().adapters().set(names);
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
