//! Engines that die or hang at every point of a hand-over. No caller may notice, and every answer is still the one that an
//! engine alone gives.
//!
//! An engine is caught at a point by freezing it: it takes requests and does nothing with them.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::super::BY_TOKENS;
use super::super::checks::streamed;
use super::super::talk::Answer;
use super::super::vllm::Engine;
use super::asked::{Asked, COMPLETIONS, MAX_TOKENS};
use super::counts::Counts;
use super::run::Bench;
use super::{DECODE, PREFILL};
use crate::host::poll_until;

const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
/// What has left one process reaches the other within this.
const SETTLE: Duration = Duration::from_millis(500);
/// More than an engine waits for another's side of NIXL.
const HANDSHAKE: Duration = Duration::from_secs(8);
/// Long enough to be killed in the middle of.
const LONG: u32 = 400;
const UP: &str = "gateway_endpoint_up";
const IN_FLIGHT: &str = "gateway_endpoint_in_flight";

/// The decode engine asks the prefill engine, which it has never met, for its side of NIXL and gets no answer.
pub(super) fn never_met(bench: &mut Bench) -> Result<String> {
    let asked = Asked::new(bench, 5_000, MAX_TOKENS)?;
    let call = hold_after_prefill(bench, asked)?;
    bench.prefill.freeze()?;
    bench.decode.thaw()?;
    thread::sleep(HANDSHAKE);
    bench.prefill.thaw()?;
    fallen_back(call)
}

/// The gateway does not know yet that the engine is gone.
pub(super) fn prefill_before(bench: &mut Bench) -> Result<String> {
    let asked = Asked::new(bench, 5_100, MAX_TOKENS)?;
    bench.prefill.kill()?;
    let told = fallen_back(ask(bench, asked));
    again(bench, PREFILL)?;
    told
}

/// The engine has the request and has not answered.
pub(super) fn prefill_during(bench: &mut Bench) -> Result<String> {
    let asked = Asked::new(bench, 5_200, MAX_TOKENS)?;
    bench.prefill.freeze()?;
    let call = ask(bench, asked);
    let sent = || {
        let there = bench.gateway.of_endpoint(PREFILL, IN_FLIGHT)?;
        (there >= 1.0).then_some(())
    };
    poll_until(LIMIT, POLL, sent).context("the prefill leg is not under way")?;
    thread::sleep(SETTLE);
    bench.prefill.kill()?;
    let told = fallen_back(call);
    again(bench, PREFILL)?;
    told
}

/// The engine has handed over what it now can give nobody.
pub(super) fn prefill_after(bench: &mut Bench) -> Result<String> {
    let asked = Asked::new(bench, 5_300, MAX_TOKENS)?;
    let call = hold_after_prefill(bench, asked)?;
    bench.prefill.kill()?;
    bench.decode.thaw()?;
    let told = fallen_back(call);
    again(bench, PREFILL)?;
    told
}

/// The engine has been handed over everything and has not answered.
pub(super) fn decode_before(bench: &mut Bench) -> Result<String> {
    let asked = Asked::new(bench, 5_400, MAX_TOKENS)?;
    let before = Counts::read(bench)?;
    let call = hold_after_prefill(bench, asked)?;
    bench.decode.kill()?;
    let told = fallen_back(call);
    again(bench, DECODE)?;
    let stale = Counts::read(bench)?.stale - before.stale;
    ensure!(stale == 0.0, "handed over {stale} times too often");
    told
}

/// A caller of a stream by tokens reads on as if nothing had been. The engine stays dead.
pub(super) fn decode_mid_stream(bench: &mut Bench) -> Result<String> {
    let asked = Asked::new(bench, 5_500, LONG)?.of_model(BY_TOKENS);
    let body = streamed(asked.body.clone());
    let mut stream = bench.gateway.peer.stream(COMPLETIONS, &body)?;
    let pair = stream.pair.clone();
    ensure!(pair.starts_with("split"), "not split: {pair}");
    let mut answer = Answer::default();
    for _ in 0..5 {
        answer.take(&stream.next_chunk()?.context("the stream ended early")?);
    }
    bench.decode.kill()?;
    let seen = answer.token_ids.len();
    stream.collect_into(&mut answer)?;
    asked.is_answered_by(&answer)?;
    Ok(format!("{seen} of {LONG} tokens were out when it died"))
}

type Call = JoinHandle<Result<(Asked, Answer, String)>>;

/// Asks the gateway beside everything else.
fn ask(bench: &Bench, asked: Asked) -> Call {
    let peer = bench.gateway.peer.clone();
    thread::spawn(move || {
        let (answer, pair) = peer.ask_pair(COMPLETIONS, &asked.body)?;
        Ok((asked, answer, pair))
    })
}

/// Asks, and freezes the decode engine so that it has its leg and does nothing with it; the prefill engine has done its own.
fn hold_after_prefill(bench: &Bench, asked: Asked) -> Result<Call> {
    let answered = |engine: &Engine| Ok::<_, anyhow::Error>(engine.metrics()?.sum(ANSWERED));
    let before = answered(&bench.prefill)?;
    bench.decode.freeze()?;
    let call = ask(bench, asked);
    let done = || {
        let now = answered(&bench.prefill).ok()?;
        (now > before).then_some(())
    };
    if poll_until(LIMIT, POLL, done).is_none() {
        bench.decode.thaw()?;
        bail!("the prefill leg does not end");
    }
    thread::sleep(SETTLE);
    Ok(call)
}

const ANSWERED: &str = "vllm:request_success_total";

/// That the answer is right, and that one engine gave it; why.
fn fallen_back(call: Call) -> Result<String> {
    let ended = call.join().ok().context("the caller panicked")?;
    let (asked, answer, pair) = ended?;
    asked.is_answered_by(&answer)?;
    ensure!(pair.starts_with("single_phase"), "served as {pair}");
    Ok(pair)
}

/// Starts an engine in the place of the one that was killed, and waits until the gateway gives it requests.
fn again(bench: &mut Bench, name: &str) -> Result<()> {
    let engine = match name == PREFILL {
        true => &mut bench.prefill,
        false => &mut bench.decode,
    };
    engine.start_again()?;
    let up = || {
        let up = bench.gateway.of_endpoint(name, UP)?;
        (up >= 1.0).then_some(())
    };
    poll_until(LIMIT, POLL, up).with_context(|| format!("{name} is not seen to be up again"))?;
    Ok(())
}
