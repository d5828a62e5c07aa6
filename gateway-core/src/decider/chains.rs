//! Which block follows which: the protocol's caches speak of blocks one by one.

use super::recent::Recent;
use crate::BlockHash;

/// Blocks whose parents are remembered.
const BLOCKS: usize = 1 << 21;

/// Parents of blocks, as prompts have shown them.
#[derive(Debug)]
pub(super) struct Chains {
    parents: Recent<u64, Option<u64>>,
}

impl Default for Chains {
    fn default() -> Self {
        Self {
            parents: Recent::new(BLOCKS),
        }
    }
}

impl Chains {
    /// Learns from a prompt.
    pub(super) fn learn(&mut self, prompt: &[u64]) {
        for at in (0..prompt.len()).rev() {
            let parent = at.checked_sub(1).map(|before| prompt[before]);
            // What is known of a block is known of all before it.
            let is_known = self.parents.is_young(&prompt[at]);
            self.parents.insert(prompt[at], parent);
            if is_known {
                break;
            }
        }
    }

    /// Cuts a list of blocks into stretches of one chain each, and gives each with the block before it. Blocks that no
    /// prompt has shown stand alone.
    pub(super) fn split(
        &self,
        blocks: &[u64],
        mut stretch: impl FnMut(Option<BlockHash>, &[BlockHash]),
    ) {
        let mut from = 0;
        let mut run: Vec<BlockHash> = Vec::new();
        while from < blocks.len() {
            let mut to = from + 1;
            while to < blocks.len() && self.parents.get(&blocks[to]) == Some(&Some(blocks[to - 1]))
            {
                to += 1;
            }
            run.clear();
            run.extend(blocks[from..to].iter().copied().map(BlockHash));
            let parent = self.parents.get(&blocks[from]).copied().flatten();
            stretch(parent.map(BlockHash), &run);
            from = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_a_list_where_its_chains_end() {
        let mut chains = Chains::default();
        chains.learn(&[1, 2, 3]);
        chains.learn(&[1, 2, 9]);
        let mut found = Vec::new();
        chains.split(&[2, 3, 9, 77, 1], |parent, run| {
            found.push((
                parent.map(|p| p.0),
                run.iter().map(|b| b.0).collect::<Vec<_>>(),
            ));
        });
        let alone = |parent, block| (parent, vec![block]);
        assert_eq!(
            found,
            [
                (Some(1), vec![2, 3]),
                alone(Some(2), 9),
                alone(None, 77),
                alone(None, 1)
            ]
        );
    }
}
