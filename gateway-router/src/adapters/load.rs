//! Loading, once for all who ask.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex as Lock, PoisonError},
    time::Duration,
};

use gateway_core::Endpoint;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use super::AdapterSettings;
use crate::{ErrorKind, Retry, RouteError, engine::EngineClient};

/// What was tried with one endpoint, by adapter; only adapters of the settings get here.
#[derive(Default)]
pub(crate) struct Loader(Lock<HashMap<String, Arc<Mutex<Option<Failure>>>>>);

struct Failure {
    at: Instant,
    error: RouteError,
}

impl Loader {
    /// Waits until `endpoint` has the adapter `name`, which the first to ask loads.
    ///
    /// # Errors
    /// Where it cannot be loaded, now or a short while ago.
    pub(crate) async fn ready(
        &self,
        endpoint: &Endpoint,
        client: &dyn EngineClient,
        name: &str,
        settings: &AdapterSettings,
    ) -> Result<(), RouteError> {
        let Some(adapter) = settings.loadable.get(name) else {
            return Ok(());
        };
        if endpoint.has_adapter(name) {
            return Ok(());
        }
        let slot = self.slot(name);
        let mut failed = slot.lock().await;
        if endpoint.has_adapter(name) {
            return Ok(());
        }
        if let Some(failure) = failed
            .as_ref()
            .filter(|one| one.at.elapsed() < settings.hold_failed)
        {
            return Err(failure.error.clone());
        }
        let began = Instant::now();
        let loading = timeout(settings.patience, client.load_adapter(name, &adapter.path)).await;
        let loaded =
            loading.unwrap_or_else(|_| Err(failure(name, "the engine did not answer in time")));
        match &loaded {
            Ok(()) => {
                endpoint.state().adapters().add(name);
                *failed = None;
                log(endpoint.name(), name, began.elapsed());
            }
            Err(error) => {
                tracing::warn!(endpoint = endpoint.name(), adapter = name, %error, "adapter not loaded");
                let error = error.clone();
                *failed = Some(Failure {
                    at: Instant::now(),
                    error,
                });
            }
        }
        loaded
    }

    fn slot(&self, name: &str) -> Arc<Mutex<Option<Failure>>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(name.to_owned()).or_default())
    }
}

fn log(endpoint: &str, adapter: &str, took: Duration) {
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(endpoint, adapter, took_ms, "adapter loaded");
}

/// The error of an adapter that is not there; says nothing of the engine's health.
pub(crate) fn failure(name: &str, why: &str) -> RouteError {
    let message = format!("The LoRA adapter `{name}` could not be loaded: {why}.");
    let api = gateway_proto::error::ApiError::new(503, message).with_code("adapter_not_loaded");
    RouteError::new(ErrorKind::AdapterNotLoaded, Retry::OtherEndpoint, api)
}
