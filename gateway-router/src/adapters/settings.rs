//! What may be loaded.

use std::{collections::BTreeMap, time::Duration};

use gateway_core::EndpointSpec;

use crate::EngineKind;

/// A LoRA adapter that engines can load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadableAdapter {
    /// The model that it adapts.
    pub model: String,
    /// Where engines find it: a path on their side, or a name in a model hub.
    pub path: String,
}

/// LoRA adapters that are loaded on demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterSettings {
    /// What may be loaded, by name.
    pub loadable: BTreeMap<String, LoadableAdapter>,
    /// How long loading one may take.
    pub patience: Duration,
    /// After a failure, how long that engine is not asked again for that adapter.
    pub hold_failed: Duration,
}

impl Default for AdapterSettings {
    fn default() -> Self {
        Self {
            loadable: BTreeMap::new(),
            patience: Duration::from_secs(60),
            hold_failed: Duration::from_secs(10),
        }
    }
}

impl AdapterSettings {
    /// Adds to `spec` what an engine of this kind can load.
    pub(crate) fn describe(&self, spec: &mut EndpointSpec, kind: EngineKind) {
        if !matches!(kind, EngineKind::Vllm | EngineKind::Sglang) {
            return;
        }
        let models = &spec.models;
        let fits = self
            .loadable
            .iter()
            .filter(|(_, one)| models.contains(&one.model));
        let names: Vec<_> = fits.map(|(name, _)| name.clone()).collect();
        spec.loadable.extend(names);
    }
}
