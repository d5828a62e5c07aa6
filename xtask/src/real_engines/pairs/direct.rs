//! The serial hand-over without the gateway: that the engines can do what the gateway will ask of them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::asked::{COMPLETIONS, MAX_TOKENS, body};
use super::counts::Counts;
use super::run::Bench;
use crate::host::poll_until;

const PROMPTS: u64 = 20;
/// The first contact of two engines may take longer than they give it.
const CONTACTS: u32 = 4;
const COUNTED: Duration = Duration::from_secs(30);

/// Twenty prompts of which only the prefill engine has ever computed anything when the decode engine answers.
pub(super) fn answers(bench: &Bench) -> Result<String> {
    let contacts = acquaint(bench)?;
    let before = Counts::read(bench)?;
    for number in 0..PROMPTS {
        let prompt = body(number);
        let handed_over = prefill(bench, &prompt)?;
        let answer = decode(bench, &prompt, handed_over, None)?;
        let whole = bench.prefill.peer().json(COMPLETIONS, &prompt)?;
        ensure!(
            ids(&answer) == ids(&whole) && ids(&whole).is_some(),
            "prompt {number}:\n  alone: {whole}\n  pair:  {answer}"
        );
    }
    let counts = Counts::read(bench)?.since(before);
    ensure!(
        counts.read == PROMPTS as f64 && counts.stale == 0.0,
        "{PROMPTS} hand-overs, but {counts:?}"
    );
    Ok(format!(
        "{PROMPTS} of {PROMPTS} equal, {} bytes handed over; {contacts} contacts until the first",
        counts.bytes
    ))
}

/// The engine answers 200 whatever it reads, so its count is all that tells; the checks through the gateway rely on it.
pub(super) fn twice(bench: &Bench) -> Result<String> {
    let prompt = body(PROMPTS);
    let handed_over = prefill(bench, &prompt)?;
    decode(bench, &prompt, handed_over.clone(), None)?;
    let before = Counts::read(bench)?;
    // Salted, or the decode engine would find its own blocks and read nothing.
    decode(bench, &prompt, handed_over, Some("again"))?;
    let counted = || {
        let counts = Counts::read(bench).ok()?.since(before);
        (counts.stale >= 1.0).then_some(counts)
    };
    let (counts, _) = poll_until(COUNTED, Duration::from_millis(100), counted)
        .context("it was read twice and nothing tells")?;
    Ok(format!("counted {} times", counts.stale))
}

/// Lets the engines meet, as no time limit is to decide the checks; how often it took.
fn acquaint(bench: &Bench) -> Result<u32> {
    let mut last = None;
    for contact in 1..=CONTACTS {
        let prompt = body(PROMPTS + 1 + u64::from(contact));
        let handed_over = prefill(bench, &prompt)?;
        match decode(bench, &prompt, handed_over, None) {
            Ok(_) => return Ok(contact),
            Err(error) => last = Some(error),
        }
    }
    Err(last.context("no contact was made")?).context("the engines never met")
}

/// What the prefill engine hands over, as it is.
fn prefill(bench: &Bench, prompt: &Value) -> Result<Value> {
    let mut body = prompt.clone();
    body["max_tokens"] = 1.into();
    body["kv_transfer_params"] = json!({
        "do_remote_decode": true,
        "do_remote_prefill": false,
        "remote_engine_id": null,
        "remote_block_ids": null,
        "remote_host": null,
        "remote_port": null,
    });
    let mut answer = bench.prefill.peer().json(COMPLETIONS, &body)?;
    let handed_over = answer["kv_transfer_params"].take();
    ensure!(handed_over.is_object(), "nothing handed over: {answer}");
    Ok(handed_over)
}

fn decode(bench: &Bench, prompt: &Value, handed_over: Value, salt: Option<&str>) -> Result<Value> {
    let mut body = prompt.clone();
    body["kv_transfer_params"] = handed_over;
    if let Some(salt) = salt {
        body["cache_salt"] = salt.into();
    }
    bench.decode.peer().json(COMPLETIONS, &body)
}

fn ids(answer: &Value) -> Option<&Vec<Value>> {
    answer["choices"][0]["token_ids"]
        .as_array()
        .filter(|ids| ids.len() == MAX_TOKENS as usize)
}
