//! vLLM's series of LoRA adapters: names in labels, and the time of writing as the value.
//!
//! Each combination of names makes a series of its own, which stays on the page when another one takes its place, so the
//! newest counts. Names are joined by commas; one that holds a comma cannot be told from two.

use gateway_core::load::AdapterUse;

use super::line::Sample;

/// The most names that are read of one label; no engine has so many places.
const NAMES_AT_MOST: usize = 256;

/// The newest series so far.
#[derive(Default)]
pub(super) struct Newest(Option<(f64, AdapterUse)>);

impl Newest {
    /// Takes in a series; `None` where its value is no time or its labels say nothing of adapters.
    pub(super) fn take(&mut self, sample: &Sample<'_>) -> Option<bool> {
        let at = sample.value().filter(|value| value.is_finite())?;
        if self.0.as_ref().is_some_and(|(newest, _)| at <= *newest) {
            return Some(false);
        }
        self.0 = Some((at, read(sample)?));
        Some(true)
    }

    /// What it says; whom an idle engine computed for last does not matter any more.
    pub(super) fn finish(self, is_idle: bool) -> Option<AdapterUse> {
        let (_, mut usage) = self.0?;
        if is_idle {
            usage.running.clear();
            usage.waiting.clear();
        }
        Some(usage)
    }
}

fn read(sample: &Sample<'_>) -> Option<AdapterUse> {
    let mut usage = AdapterUse::default();
    let mut is_known = false;
    for (name, value) in sample.labels() {
        let value = String::from_utf8_lossy(&value);
        match name {
            b"max_lora" => usage.slots = value.parse().ok().filter(|slots| *slots > 0),
            b"running_lora_adapters" => usage.running = names(&value),
            b"waiting_lora_adapters" => usage.waiting = names(&value),
            _ => continue,
        }
        is_known = true;
    }
    is_known.then_some(usage)
}

fn names(joined: &str) -> Vec<String> {
    let names = joined.split(',').map(str::trim);
    let mut names: Vec<_> = names
        .filter(|name| !name.is_empty())
        .take(NAMES_AT_MOST)
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
