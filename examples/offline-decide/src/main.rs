//! Decides without a network: a fleet, what its engines hold and report, one request; prints why it goes where it goes.
//!
//! `cargo run -p offline-decide`
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::error::Error;

use gateway_core::{
    EndpointSpec, Fleet, Pipeline, Rng, RouteCx, Timestamp,
    hash::{hash_tokens, seed},
    load::Telemetry,
    residency::Tier,
};

const BLOCK_TOKENS: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let fleet = Fleet::new([
        EndpointSpec::new("h100-a")
            .model("llama")
            .label("zone", "eu")
            .context_tokens(131_072),
        EndpointSpec::new("h100-b")
            .model("llama")
            .label("zone", "eu")
            .context_tokens(131_072),
        EndpointSpec::new("l40s-c")
            .model("llama")
            .label("zone", "eu")
            .context_tokens(4_096),
        EndpointSpec::new("mistral-d").model("mistral"),
    ])?;
    let now = Timestamp::from_millis(60_000);

    // What the engines say of themselves; a service polls this.
    for (name, running, kv_used) in [("h100-a", 12, 0.70), ("h100-b", 3, 0.25)] {
        let state = fleet.by_name(name).ok_or("no such endpoint")?.state();
        let reading = Telemetry {
            running: Some(running),
            kv_used: Some(kv_used),
            ..Telemetry::default()
        };
        state.apply(&state.mark(now), &reading);
    }

    // The prompt: 6,000 tokens, of which h100-a has served the first 5,600 before. Token ids stand for a real tokenizer's.
    let tokens: Vec<u32> = (0..6_000_u32).map(|at| at * 7 % 32_000).collect();
    let mut blocks = Vec::new();
    hash_tokens(seed(&[b"llama"]), &tokens, BLOCK_TOKENS, &mut blocks);
    let holder = fleet.by_name("h100-a").ok_or("no such endpoint")?;
    let _stored = fleet.residency().stored(
        holder.id(),
        Tier::Device,
        None,
        &blocks[..5_600 / BLOCK_TOKENS],
    );

    let request = RouteCx::new("llama", now)
        .prompt(
            u32::try_from(tokens.len())?,
            &blocks,
            u32::try_from(BLOCK_TOKENS)?,
        )
        .output(300)
        .selector(&[("zone", "eu")]);
    let (placed, why) =
        Pipeline::default().place_explained(&fleet, &request, &mut Rng::from_seed(1));
    println!("{}", serde_json::to_string_pretty(&why)?);

    let placement = placed?;
    println!(
        "-> {}: {} of {} prompt tokens are cached there",
        placement.endpoint().name(),
        placement.cached_tokens(),
        request.prompt_tokens
    );
    Ok(())
}
