//! Which endpoint holds which prefix: an index over chained [block hashes](crate::hash).
//!
//! Engines cache the KV blocks of prompts they have served. The index is told what each endpoint [stored](PrefixIndex::store)
//! and [removed](PrefixIndex::remove) and answers, for a prompt's blocks, how many leading ones each endpoint
//! [still holds](PrefixIndex::lookup).
//!
//! ```
//! use gateway_core::prefix::{PrefixIndex, PrefixIndexConfig, PrefixMatches};
//! use gateway_core::{BlockHash, EndpointId};
//!
//! let index = PrefixIndex::new(PrefixIndexConfig { budget_bytes: 1 << 20 });
//! let prompt = [11, 22, 33].map(BlockHash);
//! index.store(EndpointId(0), None, &prompt);
//! index.store(EndpointId(1), None, &prompt[..2]);
//!
//! let mut matches = PrefixMatches::new();
//! index.lookup(&prompt, &mut matches);
//! assert_eq!(matches.blocks(EndpointId(0)), 3);
//! assert_eq!(matches.blocks(EndpointId(1)), 2);
//! ```
//!
//! Who holds a block is a [`Holder`]: one [`Lane`] of an endpoint, so that one index tells what engines announce from what
//! the router merely expects. An endpoint named alone means its device's lane.
//!
//! # Contract
//!
//! - Exact: a lookup gives the length of the longest leading part of the query all of whose blocks the endpoint holds.
//!   Holes, chains whose start is unknown and starts that are stored again later all follow from that one sentence.
//!   It rests on hashes being chained: a hash names one prefix, and a query starts where its chain starts.
//! - Bounded: memory never grows past the budget. What is stored beyond it evicts whole leaves of the tree, the least
//!   recently used first; what cannot even then be stored is rejected. Both are counted, both only shorten matches.
//! - Concurrent: lookups take no lock and never wait for a writer. Writers take turns, a few hundred blocks at a time.
//!   A lookup beside a writer sees each block as it was before the write or after it.
//!
//! # How it is built
//!
//! Chains are cut into runs of up to 48 blocks; the runs form a radix tree that branches at their ends only. A holder of
//! a run is a mask of the blocks it has, so holes cost nothing. Memory is one pool of 64-byte units (`arena`, `run`).
//! Readers find runs by the hash of their first block (`heads`); because hashes are chained, comparing the last block
//! that a run and a query share proves all blocks before it. The writer finds any block (`locations`) and knows the
//! order of the leaves (`leaves`).

mod arena;
mod edit;
mod heads;
mod holder;
mod holders;
mod index;
mod leaves;
mod locations;
mod lookup;
mod matches;
mod pool;
mod retract;
mod run;
mod split;
mod store;
mod types;

pub use holder::{Holder, Lane};
pub use index::PrefixIndex;
pub use matches::PrefixMatches;
pub use retract::Retraction;
pub use types::{PrefixIndexConfig, PrefixStats, StoreOutcome};
