//! Own blocks that lie across the engine's: whether they are whole, and which depend on a block.

use super::Tier;
use super::node::NONE;
use super::nodes::Nodes;

impl Nodes {
    /// Whether the tokens of the first own block that ends in a node are all in the tier, if the node itself is.
    pub(super) fn is_covered(&self, at: u32, tier: Tier) -> bool {
        let mut node = self.node(at);
        while node.start() > 0 {
            if node.parent == NONE {
                return false;
            }
            node = self.node(node.parent);
            if !node.has(tier) {
                return false;
            }
            if node.completed(self.own_tokens) > 0 {
                break;
            }
        }
        true
    }

    /// Fills `found` with the nodes behind `at` whose first own block reaches back to `at` or before it, and is whole if
    /// `at` is in the tier.
    pub(super) fn spanning(&mut self, at: u32, tier: Tier, found: &mut Vec<u32>) {
        self.pending.clear();
        self.push_children(at);
        while let Some(at) = self.pending.pop() {
            let node = self.node(at);
            if !node.has(tier) {
                continue;
            }
            if node.completed(self.own_tokens) == 0 {
                self.push_children(at);
            } else if self.is_covered(at, tier) {
                found.push(at);
            }
        }
    }

    /// Whether the last own block that ends in a node ends with it, so that no other node can complete it.
    pub(super) fn ends_alone(&self, at: u32) -> bool {
        self.node(at).rest(self.own_tokens) == 0
    }

    /// As [`ends_alone`](Self::ends_alone), for the first.
    pub(super) fn first_ends_alone(&self, at: u32) -> bool {
        self.ends_alone(at) && self.node(at).completed(self.own_tokens) == 1
    }

    fn push_children(&mut self, at: u32) {
        let mut child = self.node(at).child;
        while child != NONE {
            self.pending.push(child);
            child = self.node(child).next;
        }
    }
}
