//! This project's index with its sources and tiers on top: what a gateway feeds events to.

use gateway_core::prefix::PrefixIndexConfig;
use gateway_core::residency::{Residency, ResidencyConfig, Residents, Tier};
use gateway_core::{BlockHash, EndpointId};

use super::{Query, Reader, Subject};
use crate::workload::Block;

pub struct ThroughResidency(Residency);

impl ThroughResidency {
    pub fn new() -> Self {
        let index = PrefixIndexConfig { budget_bytes: 512 << 20 };
        Self(Residency::new(ResidencyConfig { index, ..ResidencyConfig::default() }))
    }
}

impl Subject for ThroughResidency {
    fn store(&self, endpoint: u16, parent: Option<u64>, blocks: &[Block]) {
        let blocks: Vec<_> = blocks.iter().map(|block| BlockHash(block.chain)).collect();
        self.0.stored(EndpointId(endpoint), Tier::Device, parent.map(BlockHash), &blocks);
    }

    fn remove(&self, endpoint: u16, blocks: &[u64]) {
        let blocks: Vec<_> = blocks.iter().copied().map(BlockHash).collect();
        self.0.removed(EndpointId(endpoint), Tier::Device, &blocks);
    }

    fn drain(&self) {}

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(ResidencyReader { residency: &self.0, residents: Residents::new() })
    }
}

struct ResidencyReader<'a> {
    residency: &'a Residency,
    residents: Residents,
}

impl Reader for ResidencyReader<'_> {
    fn lookup(&mut self, query: &Query) -> usize {
        self.residency.lookup(&query.ours, &mut self.residents);
        self.residents.iter().count()
    }

    fn scores(&mut self, query: &Query) -> Vec<(u16, u32)> {
        self.residency.lookup(&query.ours, &mut self.residents);
        self.residents.iter().map(|(endpoint, cached)| (endpoint.0, cached.device)).collect()
    }
}
