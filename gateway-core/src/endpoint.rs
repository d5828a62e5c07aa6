//! One engine that can serve requests, as configuration describes it.

use std::{collections::BTreeMap, sync::Arc};

use crate::{EndpointId, KvDescriptor, latency::Hardware, load::EndpointState};

/// What part of the work an endpoint does.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Prefill and decode.
    #[default]
    Unified,
    /// Prefill only.
    Prefill,
    /// Decode only.
    Decode,
}

/// A description of an endpoint, from which a fleet makes [`Endpoint`]s. All but the name is optional.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointSpec {
    /// The endpoint's name, unique in its fleet.
    pub name: String,
    /// Models it serves.
    pub models: Vec<String>,
    /// LoRA adapters it has from the start.
    pub adapters: Vec<String>,
    /// LoRA adapters that it loads when asked.
    pub loadable: Vec<String>,
    /// Its part of the work.
    pub role: Role,
    /// Free labels (chip, zone, pool) for selectors and preferences.
    pub labels: BTreeMap<String, String>,
    /// The longest prompt plus output it takes, in tokens.
    pub context_tokens: Option<u32>,
    /// The prompt lengths it is meant for, in tokens, both ends included.
    pub prompt_range: Option<(u32, u32)>,
    /// A fixed share of traffic relative to others; 1 where unset.
    pub weight: Option<f32>,
    /// What is known of its hardware.
    pub hardware: Hardware,
    /// What its KV cache is like, for those that pass it on or take it over.
    pub kv: KvDescriptor,
    /// Whether it does its own half of the work and nothing else, so that it cannot serve a request whole even where
    /// nobody else is left. Means nothing for [`Role::Unified`].
    pub is_half: bool,
    /// Who lists it, for the records of decisions.
    pub source: Option<String>,
}

impl EndpointSpec {
    /// An endpoint of which only the name is known.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Adds a model.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.models.push(name.into());
        self
    }

    /// Adds a LoRA adapter.
    #[must_use]
    pub fn adapter(mut self, name: impl Into<String>) -> Self {
        self.adapters.push(name.into());
        self
    }

    /// Adds a LoRA adapter that is loaded when asked for.
    #[must_use]
    pub fn loadable(mut self, name: impl Into<String>) -> Self {
        self.loadable.push(name.into());
        self
    }

    /// Sets the role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Sets the context length in tokens.
    #[must_use]
    pub fn context_tokens(mut self, tokens: u32) -> Self {
        self.context_tokens = Some(tokens);
        self
    }

    /// Sets the prompt lengths the endpoint is meant for, in tokens.
    #[must_use]
    pub fn prompt_range(mut self, least: u32, most: u32) -> Self {
        self.prompt_range = Some((least, most));
        self
    }

    /// Describes the hardware.
    #[must_use]
    pub fn hardware(mut self, hardware: Hardware) -> Self {
        self.hardware = hardware;
        self
    }

    /// Describes its KV cache.
    #[must_use]
    pub fn kv(mut self, kv: KvDescriptor) -> Self {
        self.kv = kv;
        self
    }

    /// Says that it can do nothing but its own half of the work.
    #[must_use]
    pub fn half(mut self) -> Self {
        self.is_half = true;
        self
    }

    /// Whether it can serve a request from its first prompt token to its last output token.
    #[must_use]
    pub fn serves_whole(&self) -> bool {
        self.role == Role::Unified || !self.is_half
    }

    /// Sets the fixed weight.
    #[must_use]
    pub fn weight(mut self, weight: f32) -> Self {
        self.weight = Some(weight);
        self
    }
}

/// An endpoint of a fleet: its description, its number, and its living state.
#[derive(Debug)]
pub struct Endpoint {
    id: EndpointId,
    spec: EndpointSpec,
    state: Arc<EndpointState>,
}

impl Endpoint {
    pub(crate) fn new(id: EndpointId, spec: EndpointSpec, state: Arc<EndpointState>) -> Self {
        Self { id, spec, state }
    }

    /// The endpoint's number in its fleet.
    #[must_use]
    pub fn id(&self) -> EndpointId {
        self.id
    }

    /// The endpoint's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// The description it was made from.
    #[must_use]
    pub fn spec(&self) -> &EndpointSpec {
        &self.spec
    }

    /// Load and health, shared with every snapshot that lists this endpoint.
    #[must_use]
    pub fn state(&self) -> &Arc<EndpointState> {
        &self.state
    }

    /// Whether it serves `model`. To callers a LoRA adapter is a model like any other, so its name counts too, loaded or
    /// to be loaded.
    #[must_use]
    pub fn serves(&self, model: &str) -> bool {
        let is_model = self.spec.models.iter().any(|served| served == model);
        is_model || self.has_adapter(model) || self.can_load(model)
    }

    /// Whether it has the LoRA adapter `name`: from the start, or loaded meanwhile.
    #[must_use]
    pub fn has_adapter(&self, name: &str) -> bool {
        let from_start = self.spec.adapters.iter().any(|adapter| adapter == name);
        from_start || self.state.adapters().has(name)
    }

    /// Whether it can load the LoRA adapter `name`, be it loaded already or not.
    #[must_use]
    pub fn can_load(&self, name: &str) -> bool {
        self.spec.loadable.iter().any(|adapter| adapter == name)
    }

    /// All LoRA adapters that it has or can load, sorted.
    #[must_use]
    pub fn adapters(&self) -> Vec<String> {
        let mut names = self.state.adapters().names();
        names.extend(
            self.spec
                .adapters
                .iter()
                .chain(&self.spec.loadable)
                .cloned(),
        );
        names.sort_unstable();
        names.dedup();
        names
    }

    /// How many LoRA adapters it has now.
    #[must_use]
    pub fn adapter_count(&self) -> usize {
        self.spec.adapters.len().max(self.state.adapters().count())
    }

    /// The value of a label.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.spec.labels.get(key).map(String::as_str)
    }

    /// The class with which it learns; all endpoints without one learn together.
    #[must_use]
    pub fn class(&self) -> &str {
        self.spec.hardware.class_name()
    }

    /// The fixed weight, 1 where unset.
    #[must_use]
    pub fn weight(&self) -> f32 {
        self.spec.weight.unwrap_or(1.0)
    }
}
