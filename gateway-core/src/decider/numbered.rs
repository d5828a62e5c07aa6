//! The sender's engines as a fleet.

use std::{collections::HashMap, sync::Arc};

use super::{DecideError, EngineNote, EngineNumber, Init, RoleName};
use crate::{
    Endpoint, EndpointId, EndpointSpec, Fleet, FleetConfig, Role, latency::Hardware,
    load::TelemetryPolicy, prefix::PrefixIndexConfig, residency::ResidencyConfig,
};

/// Memory for the prefix index: a whole fleet's caches at small block sizes.
const INDEX_BYTES: usize = 256 << 20;

/// A fleet with the sender's numbers.
#[derive(Debug)]
pub(super) struct Numbered {
    fleet: Fleet,
    by_number: HashMap<EngineNumber, usize>,
    numbers: Vec<EngineNumber>,
}

impl Numbered {
    pub(super) fn new(init: &Init, model: &str) -> Result<Self, DecideError> {
        let block_tokens = u64::from(init.block_size.max(1));
        let specs = init
            .engines
            .iter()
            .map(|note| spec(note, model, block_tokens));
        let config = FleetConfig {
            telemetry: TelemetryPolicy::default(),
            residency: ResidencyConfig {
                index: PrefixIndexConfig {
                    budget_bytes: INDEX_BYTES,
                },
                ..ResidencyConfig::default()
            },
            ..FleetConfig::default()
        };
        let fleet = Fleet::with_config(specs, config)
            .map_err(|error| DecideError::Fleet(error.to_string()))?;
        let numbers: Vec<_> = init.engines.iter().map(|note| note.id).collect();
        let by_number = numbers
            .iter()
            .enumerate()
            .map(|(at, &number)| (number, at))
            .collect();
        for (note, endpoint) in init.engines.iter().zip(fleet.endpoints()) {
            let blocks = note
                .kv_blocks
                .map(|blocks| usize::try_from(blocks).unwrap_or(usize::MAX));
            if let Some(blocks) = blocks {
                fleet.residency().set_capacity(endpoint.id(), blocks);
            }
        }
        Ok(Self {
            fleet,
            by_number,
            numbers,
        })
    }

    pub(super) fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// How many engines there are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn find(&self, number: EngineNumber) -> Option<(EndpointId, &Arc<Endpoint>)> {
        let endpoint = self.fleet.endpoints().get(*self.by_number.get(&number)?)?;
        Some((endpoint.id(), endpoint))
    }

    pub(super) fn number(&self, id: EndpointId) -> EngineNumber {
        self.numbers[id.index()]
    }

    /// The endpoints of these numbers, unknown ones left out.
    pub(super) fn ids_of(&self, numbers: &[EngineNumber]) -> Vec<EndpointId> {
        let id = |&number| self.find(number).map(|(id, _)| id);
        numbers.iter().filter_map(id).collect()
    }

    /// The endpoints of these numbers where they are not simply all.
    pub(super) fn some_of(&self, numbers: Option<&[EngineNumber]>) -> Option<Vec<EndpointId>> {
        let mut ids = self.ids_of(numbers?);
        ids.sort_unstable();
        ids.dedup();
        (ids.len() < self.len()).then_some(ids)
    }

    /// All endpoints.
    pub(super) fn all(&self) -> Vec<EndpointId> {
        self.fleet
            .endpoints()
            .iter()
            .map(|endpoint| endpoint.id())
            .collect()
    }
}

fn spec(note: &EngineNote, model: &str, block_tokens: u64) -> EndpointSpec {
    let tokens = |blocks: Option<u64>| blocks.map(|blocks| blocks.saturating_mul(block_tokens));
    let role = match note.role {
        RoleName::Both => Role::Unified,
        RoleName::Prefill => Role::Prefill,
        RoleName::Decode => Role::Decode,
    };
    EndpointSpec::new(note.id.to_string())
        .model(model)
        .role(role)
        .hardware(Hardware {
            class: note.class.clone(),
            tflops: note.tflops,
            hbm_gbs: note.hbm_gbs,
            nic_gbs: note.nic_gbs,
            kv_bytes_per_token: note.kv_bytes_per_token,
            weight_bytes: None,
            kv_tokens: tokens(note.kv_blocks),
            host_tokens: tokens(note.host_blocks),
            max_sequences: note.max_seqs,
            batch_tokens: note.max_batched_tokens,
            costs: None,
        })
}
