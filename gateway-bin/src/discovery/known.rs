//! Finding out what the configuration leaves open about engines.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures_util::future::join_all;
use gateway_core::Fleet;
use gateway_router::{Detected, EndpointSettings, RouterSettings, detect};

use crate::config::{Config, EndpointConfig};

/// What engines said of themselves, by address.
#[derive(Debug, Default)]
pub(crate) struct Known(HashMap<String, Detected>);

impl Known {
    /// Asks every engine that is to be asked and has not answered yet, all at once. Gives how many answered.
    pub(crate) async fn ask(&mut self, endpoints: &[EndpointConfig], patience: Duration) -> usize {
        let open: Vec<&EndpointConfig> = self.open(endpoints).collect();
        let questions = open.into_iter().map(|endpoint| async move {
            let EndpointSettings {
                target,
                credential,
                spec,
                ..
            } = &endpoint.settings;
            (
                target.to_string(),
                spec.name.clone(),
                detect(target, credential.as_ref(), patience).await,
            )
        });
        let answers = join_all(questions).await;
        let mut answered = 0;
        for (target, name, answer) in answers {
            match answer {
                Ok(found) => {
                    let models: Vec<_> = found.models.iter().map(|card| card.id.as_str()).collect();
                    tracing::info!(endpoint = %name, kind = found.kind.name(), models = models.join(","), "engine found");
                    self.0.insert(target, found);
                    answered += 1;
                }
                Err(error) => {
                    tracing::debug!(endpoint = %name, %error, "engine does not say what it is yet")
                }
            }
        }
        answered
    }

    fn open<'a>(
        &self,
        endpoints: &'a [EndpointConfig],
    ) -> impl Iterator<Item = &'a EndpointConfig> + use<'a, '_> {
        let is_open = |endpoint: &&EndpointConfig| {
            endpoint.discovery.is_needed()
                && !self.0.contains_key(&endpoint.settings.target.to_string())
        };
        endpoints.iter().filter(is_open)
    }

    /// The endpoints that nothing is known of yet.
    pub(crate) fn open_names<'a>(&self, endpoints: &'a [EndpointConfig]) -> Vec<&'a str> {
        self.open(endpoints)
            .map(|endpoint| endpoint.settings.spec.name.as_str())
            .collect()
    }

    /// Forgets engines that nobody lists any more.
    pub(crate) fn retain(&mut self, endpoints: &[EndpointConfig]) {
        let listed = endpoints.iter();
        let listed: HashSet<_> = listed.map(|one| one.settings.target.to_string()).collect();
        self.0.retain(|target, _| listed.contains(target));
    }

    /// Tells the fleet the LoRA adapters of engines that have not been asked for them since.
    pub(crate) fn seed(&self, endpoints: &[EndpointConfig], fleet: &Fleet) {
        for endpoint in endpoints {
            let settings = &endpoint.settings;
            let found = self.0.get(&settings.target.to_string());
            let listed = fleet.by_name(&settings.spec.name);
            if let (Some(found), Some(listed)) = (found, listed)
                && listed.state().adapters().count() == 0
            {
                let adapters = found.models.iter().filter(|card| card.parent.is_some());
                let names = adapters.map(|card| card.id.as_str());
                listed.state().adapters().set(names);
            }
        }
    }

    /// The router's settings with what is known so far. An engine that has not answered serves no model yet.
    pub(crate) fn settings(&self, config: &Config, endpoints: &[EndpointConfig]) -> RouterSettings {
        let endpoints = endpoints.iter().map(|endpoint| {
            match self.0.get(&endpoint.settings.target.to_string()) {
                Some(found) if endpoint.discovery.is_needed() => filled(endpoint, found),
                _ => endpoint.settings.clone(),
            }
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
