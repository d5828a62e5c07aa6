//! `radix_tree::RadixTree`, whose writes need it alone: behind a reader-writer lock.

use std::sync::RwLock;

use radix_tree::{Config, HolderId, Overlap, OverlapScratch, RadixTree};

use super::{Query, Reader, Subject};
use crate::workload::{Block, ENDPOINTS};

pub struct Smg {
    tree: RwLock<RadixTree>,
    holders: Vec<HolderId>,
}

impl Smg {
    pub fn new() -> Self {
        let mut tree = RadixTree::new(Config::default());
        let holders = (0..ENDPOINTS).map(|n| tree.create_holder(&format!("worker-{n}"))).collect();
        Self { tree: RwLock::new(tree), holders }
    }
}

impl Subject for Smg {
    fn store(&self, endpoint: u16, parent: Option<u64>, blocks: &[Block]) {
        let blocks: Vec<_> = blocks.iter().map(|block| (block.chain, block.content)).collect();
        let mut tree = self.tree.write().expect("no writer panicked");
        tree.store(self.holders[usize::from(endpoint)], parent, &blocks).expect("a store after its parent");
    }

    fn remove(&self, endpoint: u16, blocks: &[u64]) {
        self.tree.write().expect("no writer panicked").remove(self.holders[usize::from(endpoint)], blocks);
    }

    fn drain(&self) {}

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(SmgReader { subject: self, scratch: OverlapScratch::default(), found: Vec::new() })
    }
}

struct SmgReader<'a> {
    subject: &'a Smg,
    scratch: OverlapScratch,
    found: Vec<Overlap>,
}

impl Reader for SmgReader<'_> {
    fn lookup(&mut self, query: &Query) -> usize {
        let tree = self.subject.tree.read().expect("no writer panicked");
        tree.overlap(&query.contents, &mut self.scratch, &mut self.found);
        self.found.len()
    }

    fn scores(&mut self, query: &Query) -> Vec<(u16, u32)> {
        self.lookup(query);
        let endpoint = |holder| self.subject.holders.iter().position(|known| *known == holder).expect("a holder of ours");
        self.found.iter().map(|row| (endpoint(row.holder) as u16, row.depth)).collect()
    }
}
