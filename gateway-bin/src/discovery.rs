//! Finding out what the configuration leaves open about engines.

use std::{collections::HashMap, time::Duration};

use futures_util::future::join_all;
use gateway_router::{Detected, EndpointSettings, RouterSettings, detect};

use crate::config::{Config, EndpointConfig};

/// What engines said of themselves, by address.
#[derive(Debug, Default)]
pub(crate) struct Known(HashMap<String, Detected>);

impl Known {
    /// Asks every engine that is to be asked and has not answered yet, all at once. Gives how many answered.
    pub(crate) async fn ask(&mut self, config: &Config, patience: Duration) -> usize {
        let open: Vec<&EndpointConfig> = self.open(config).collect();
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
        config: &'a Config,
    ) -> impl Iterator<Item = &'a EndpointConfig> + use<'a, '_> {
        let is_open = |endpoint: &&EndpointConfig| {
            endpoint.discovery.is_needed()
                && !self.0.contains_key(&endpoint.settings.target.to_string())
        };
        config.endpoints.iter().filter(is_open)
    }

    /// The endpoints that nothing is known of yet.
    pub(crate) fn open_names<'a>(&self, config: &'a Config) -> Vec<&'a str> {
        self.open(config)
            .map(|endpoint| endpoint.settings.spec.name.as_str())
            .collect()
    }

    /// The router's settings with what is known so far. An engine that has not answered serves no model yet.
    pub(crate) fn settings(&self, config: &Config) -> RouterSettings {
        let endpoints = config.endpoints.iter().map(|endpoint| {
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

/// What is written counts; the rest is as found. Models with a parent are LoRA adapters.
fn filled(endpoint: &EndpointConfig, found: &Detected) -> EndpointSettings {
    let mut settings = endpoint.settings.clone();
    if endpoint.discovery.kind {
        settings.kind = found.kind;
    }
    if endpoint.discovery.models {
        let (adapters, models): (Vec<_>, Vec<_>) =
            found.models.iter().partition(|card| card.parent.is_some());
        settings.spec.models = models.iter().map(|card| card.id.clone()).collect();
        if settings.spec.adapters.is_empty() {
            settings.spec.adapters = adapters.iter().map(|card| card.id.clone()).collect();
        }
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
