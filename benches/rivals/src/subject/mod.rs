//! The indexes under test behind one interface.

mod dynamo;
mod kv_index;
mod ours;
mod residency;
mod smg;

use crate::workload::Block;

/// A query in the form that each subject wants, made before the clock starts.
pub struct Query {
    pub blocks: Vec<Block>,
    ours: Vec<gateway_core::BlockHash>,
    contents: Vec<u64>,
    dynamo: Vec<dynamo_kv_router::protocols::LocalBlockHash>,
}

impl Query {
    pub fn new(blocks: &[Block]) -> Self {
        Self {
            blocks: blocks.to_vec(),
            ours: blocks.iter().map(|block| gateway_core::BlockHash(block.chain)).collect(),
            contents: blocks.iter().map(|block| block.content).collect(),
            dynamo: blocks.iter().map(|block| dynamo_kv_router::protocols::LocalBlockHash(block.content)).collect(),
        }
    }
}

/// An index that one writer and any number of readers use at once.
pub trait Subject: Sync {
    fn store(&self, endpoint: u16, parent: Option<u64>, blocks: &[Block]);
    fn remove(&self, endpoint: u16, blocks: &[u64]);
    /// Returns when every write so far can be seen.
    fn drain(&self);
    fn reader(&self) -> Box<dyn Reader + '_>;
}

/// One reading thread's view, with the buffers it uses again.
pub trait Reader {
    /// Looks `query` up in the cheapest way the index offers; gives how many endpoints match.
    fn lookup(&mut self, query: &Query) -> usize;
    /// The same as a list, for checking.
    fn scores(&mut self, query: &Query) -> Vec<(u16, u32)>;
}

/// Their names on the command line and in the table.
pub const NAMES: [&str; 5] = ["gateway-core", "gateway-core residency", "kv-index 2.0.0", "smg-radix-tree 0.1.0", "dynamo-kv-router 1.6.1"];

/// The subject called `name`.
pub fn by_name(name: &str) -> Option<Box<dyn Subject>> {
    match NAMES.iter().position(|known| *known == name)? {
        0 => Some(Box::new(ours::Ours::new())),
        1 => Some(Box::new(residency::ThroughResidency::new())),
        2 => Some(Box::new(kv_index::KvIndex::new())),
        3 => Some(Box::new(smg::Smg::new())),
        _ => Some(Box::new(dynamo::Dynamo::new())),
    }
}
