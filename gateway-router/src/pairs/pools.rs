//! Who may do what of a model's split requests.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use gateway_core::{
    Endpoint, EndpointId, Fleet, Role,
    pipeline::{Group, Pools},
};

use super::Fallback;

/// A model's endpoints by what they may do.
#[derive(Debug, Default)]
pub(crate) struct PairPools {
    prefill: Vec<EndpointId>,
    decode: Vec<EndpointId>,
    /// Those that do everything.
    unified: Vec<EndpointId>,
    /// These and those that decode and can serve a request whole too.
    whole: Vec<EndpointId>,
    /// Those that prefill and can serve a request whole too.
    last: Vec<EndpointId>,
}

impl PairPools {
    /// The pools of all models that are not served by engines that do everything alone. `hands_over` says who can be half
    /// of a pair. LoRA adapters come and go, and are served by those of their models.
    pub(crate) fn of_fleet(
        fleet: &Fleet,
        hands_over: impl Fn(EndpointId) -> bool,
    ) -> HashMap<String, Self> {
        let concerns = |endpoint: &Arc<Endpoint>| {
            endpoint.spec().role != Role::Unified || hands_over(endpoint.id())
        };
        if !fleet.endpoints().iter().any(concerns) {
            return HashMap::new();
        }
        let models = fleet.endpoints().iter().flat_map(|e| &e.spec().models);
        let models: BTreeSet<&String> = models.collect();
        models
            .into_iter()
            .filter_map(|model| {
                let endpoints = fleet.endpoints().iter();
                let serving: Vec<_> = endpoints
                    .filter(|e| e.spec().models.contains(model))
                    .collect();
                let is_concerned = serving.iter().any(|&e| concerns(e));
                is_concerned.then(|| (model.clone(), Self::of(&serving, &hands_over)))
            })
            .collect()
    }

    fn of(serving: &[&Arc<Endpoint>], hands_over: impl Fn(EndpointId) -> bool) -> Self {
        let mut pools = Self::default();
        for endpoint in serving {
            let (id, spec) = (endpoint.id(), endpoint.spec());
            let can_pair = hands_over(id);
            if can_pair && spec.role != Role::Decode {
                pools.prefill.push(id);
            }
            if can_pair && spec.role != Role::Prefill {
                pools.decode.push(id);
            }
            match spec.role {
                Role::Unified => {
                    pools.unified.push(id);
                    pools.whole.push(id);
                }
                Role::Decode if spec.serves_whole() => pools.whole.push(id),
                Role::Prefill if spec.serves_whole() => pools.last.push(id),
                _ => {}
            }
        }
        pools
    }

    /// For a request that may be split.
    pub(crate) fn split(&self, fallback: Fallback) -> Pools<'_> {
        Pools {
            prefill: Some(&self.prefill),
            decode: &self.decode,
            whole: &self.whole,
            alone: self.alone(fallback),
        }
    }

    /// For a request that is to be served whole.
    pub(crate) fn unsplit(&self, fallback: Fallback) -> Pools<'_> {
        Pools {
            prefill: Some(&[]),
            decode: &[],
            whole: &self.whole,
            alone: self.alone(fallback),
        }
    }

    /// For a request that `first` is to serve whole, or whoever else can.
    pub(crate) fn unsplit_at<'a>(&'a self, first: &'a EndpointId) -> Pools<'a> {
        Pools {
            alone: [
                Group::These(std::slice::from_ref(first)),
                Group::These(&self.whole),
            ],
            ..self.unsplit(Fallback::SinglePhase)
        }
    }

    fn alone(&self, fallback: Fallback) -> [Group<'_>; 2] {
        match fallback {
            Fallback::SinglePhase => [Group::These(&self.whole), Group::These(&self.last)],
            Fallback::CombinedPool => [Group::These(&self.unified), Group::Nobody],
            Fallback::Never => [Group::Nobody; 2],
        }
    }
}
