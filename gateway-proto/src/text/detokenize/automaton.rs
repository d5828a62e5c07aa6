//! Several strings looked for at once, byte by byte (Aho and Corasick, 1975).

use std::collections::VecDeque;

const ROOT: u32 = 0;

#[derive(Clone, Debug, Default)]
struct Node {
    children: Vec<(u8, u32)>,
    /// The longest proper suffix of this node's string that is a node too.
    fail: u32,
    /// Length of this node's string in bytes.
    depth: u32,
    /// The longest wanted string that this node's string ends with.
    found: Option<u32>,
}

/// The automaton and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Automaton {
    nodes: Vec<Node>,
    at: u32,
}

impl Automaton {
    /// Looks for `strings`, none of which is empty. Of equal strings the first is the one that is found.
    pub(super) fn new<'a>(strings: impl IntoIterator<Item = &'a str>) -> Self {
        let mut automaton = Self {
            nodes: vec![Node::default()],
            at: ROOT,
        };
        for (index, string) in (0..).zip(strings) {
            automaton.insert(string, index);
        }
        automaton.link();
        automaton
    }

    fn insert(&mut self, string: &str, index: u32) {
        let mut at = ROOT;
        for byte in string.bytes() {
            at = self.child(at, byte).unwrap_or_else(|| self.grow(at, byte));
        }
        self.nodes[at as usize].found.get_or_insert(index);
    }

    fn grow(&mut self, parent: u32, byte: u8) -> u32 {
        let new = u32::try_from(self.nodes.len()).expect("the strings' lengths are limited");
        let depth = self.nodes[parent as usize].depth + 1;
        self.nodes[parent as usize].children.push((byte, new));
        self.nodes.push(Node {
            depth,
            ..Node::default()
        });
        new
    }

    fn child(&self, at: u32, byte: u8) -> Option<u32> {
        let children = &self.nodes[at as usize].children;
        children.iter().find(|(b, _)| *b == byte).map(|(_, to)| *to)
    }

    /// Fills in `fail` and `found`, breadth first: what is nearer the root is complete before it is needed.
    fn link(&mut self) {
        let mut queue = VecDeque::from([ROOT]);
        while let Some(at) = queue.pop_front() {
            for (byte, child) in self.nodes[at as usize].children.clone() {
                let fail = if at == ROOT {
                    ROOT
                } else {
                    self.step(self.nodes[at as usize].fail, byte)
                };
                let inherited = self.nodes[fail as usize].found;
                let node = &mut self.nodes[child as usize];
                node.fail = fail;
                node.found = node.found.or(inherited);
                queue.push_back(child);
            }
        }
    }

    fn step(&self, mut at: u32, byte: u8) -> u32 {
        loop {
            if let Some(next) = self.child(at, byte) {
                return next;
            }
            if at == ROOT {
                return ROOT;
            }
            at = self.nodes[at as usize].fail;
        }
    }

    /// Takes in a byte; returns the longest string that ends here.
    pub(super) fn feed(&mut self, byte: u8) -> Option<usize> {
        self.at = self.step(self.at, byte);
        let found = self.nodes[self.at as usize].found;
        found.map(|index| index as usize)
    }

    /// How many of the last bytes may be the beginning of a string.
    pub(super) fn open_bytes(&self) -> usize {
        self.nodes[self.at as usize].depth as usize
    }
}
