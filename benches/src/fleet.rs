//! A fleet at work, and the requests that come to it.

use gateway_core::hash::{hash_tokens, seed};
use gateway_core::load::{Booking, Demand, Telemetry};
use gateway_core::prefix::PrefixIndexConfig;
use gateway_core::residency::{ResidencyConfig, Tier};
use gateway_core::{BlockHash, EndpointSpec, Fleet, FleetConfig, Rng, RouteCx, Timestamp};

const BLOCK_TOKENS: usize = 16;
const CONVERSATIONS: usize = 64;
/// The system prompt that all conversations begin with and every endpoint holds.
const SHARED_TOKENS: usize = 512;

/// Endpoints with requests in flight and fresh readings, and a prefix index that holds what the next requests go on with.
#[derive(Debug)]
pub struct BusyFleet {
    fleet: Fleet,
    prompts: Vec<Vec<BlockHash>>,
    prompt_tokens: u32,
    rng: Rng,
    turn: usize,
    _in_flight: Vec<Booking>,
}

impl BusyFleet {
    /// When all of it happens.
    pub const NOW: Timestamp = Timestamp::from_millis(1_000);

    /// Endpoints for the model `llama`, and prompts of so many tokens.
    ///
    /// # Panics
    /// If two endpoints have one name.
    #[must_use]
    pub fn new(specs: impl IntoIterator<Item = EndpointSpec>, prompt_tokens: usize) -> Self {
        let mut rng = Rng::from_seed(7);
        let index = PrefixIndexConfig {
            budget_bytes: 256 << 20,
        };
        let config = FleetConfig {
            residency: ResidencyConfig {
                index,
                ..ResidencyConfig::default()
            },
            ..FleetConfig::default()
        };
        let fleet = Fleet::with_config(specs, config).expect("names differ");
        let prompts = conversations(prompt_tokens, &mut rng);
        remember(&fleet, &prompts, &mut rng);
        let in_flight = load(&fleet, &mut rng);
        Self {
            fleet,
            prompts,
            prompt_tokens: u32::try_from(prompt_tokens).expect("a prompt's length"),
            rng,
            turn: 0,
            _in_flight: in_flight,
        }
    }

    /// The endpoints.
    #[must_use]
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// The next request, of another conversation than the one before, and what it takes to place it.
    pub fn request(&mut self) -> (&Fleet, RouteCx<'_>, &mut Rng) {
        self.turn = (self.turn + 1) % self.prompts.len();
        let block_tokens = u32::try_from(BLOCK_TOKENS).expect("a block's length");
        let cx = RouteCx::new("llama", Self::NOW)
            .prompt(self.prompt_tokens, &self.prompts[self.turn], block_tokens)
            .output(256);
        (&self.fleet, cx, &mut self.rng)
    }
}

/// Block hashes of prompts with a common beginning.
fn conversations(prompt_tokens: usize, rng: &mut Rng) -> Vec<Vec<BlockHash>> {
    let mut word = || u32::try_from(rng.below(150_000)).expect("a token id");
    let shared: Vec<u32> = (0..SHARED_TOKENS).map(|_| word()).collect();
    let mut conversation = || {
        let mut tokens = shared.clone();
        tokens.resize_with(prompt_tokens, &mut word);
        let mut blocks = Vec::new();
        hash_tokens(seed(&[b"llama"]), &tokens, BLOCK_TOKENS, &mut blocks);
        blocks
    };
    (0..CONVERSATIONS).map(|_| conversation()).collect()
}

/// Every endpoint holds the common beginning; two hold three quarters of each conversation.
fn remember(fleet: &Fleet, prompts: &[Vec<BlockHash>], rng: &mut Rng) {
    for endpoint in fleet.endpoints() {
        fleet.residency().stored(
            endpoint.id(),
            Tier::Device,
            None,
            &prompts[0][..SHARED_TOKENS / BLOCK_TOKENS],
        );
    }
    for blocks in prompts {
        for _ in 0..2 {
            let holder = &fleet.endpoints()[rng.below(fleet.endpoints().len())];
            let stored = fleet.residency().stored(
                holder.id(),
                Tier::Device,
                None,
                &blocks[..blocks.len() * 3 / 4],
            );
            assert_eq!(
                (stored.evicted_blocks, stored.rejected),
                (0, 0),
                "the index is too small for the scene"
            );
        }
    }
}

/// A few requests in flight everywhere, and a reading that tells of some more.
fn load(fleet: &Fleet, rng: &mut Rng) -> Vec<Booking> {
    let mut held = Vec::new();
    for endpoint in fleet.endpoints() {
        for _ in 0..rng.below(8) {
            let demand = Demand {
                prompt_tokens: u32::try_from(rng.below(4_000)).expect("small"),
                output_tokens: 400.0,
                ..Demand::default()
            };
            held.push(endpoint.state().book(&demand, BusyFleet::NOW));
        }
        let reading = Telemetry {
            running: Some(u32::try_from(rng.below(16)).expect("small")),
            waiting: Some(0),
            kv_used: Some(rng.unit() as f32 * 0.9),
            kv_capacity_tokens: Some(400_000),
            ..Telemetry::default()
        };
        endpoint
            .state()
            .apply(&endpoint.state().mark(BusyFleet::NOW), &reading);
    }
    held
}
