//! The pass over a metrics page.

use gateway_core::load::{AdapterUse, Telemetry};
use memchr::memchr;

use super::adapters::Newest;
use super::dialect::{self, Dialect, Metric};
use super::fold::{Fold, Origin, Rule};
use super::line::{self, Sample};

/// A share of more than this is nonsense; a little above 1 is rounding.
const MAX_SHARE: f64 = 1.5;
/// No engine has this many requests.
const MAX_REQUESTS: f64 = 1e9;
/// Counters up to here are exact in a double.
const MAX_COUNT: f64 = 9e15;
/// No engine has more data-parallel ranks; greater numbers are hashes of names.
const RANKS_AT_MOST: u32 = 1_024;
/// No KV block holds more tokens.
const MAX_BLOCK_TOKENS: f64 = 1e6;

/// What one metrics page said.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Scrape {
    /// The reading; fields without a sample stay unknown.
    pub telemetry: Telemetry,
    /// The LoRA adapters whose requests run and wait, where the page says so.
    pub adapters: Option<AdapterUse>,
    /// Whose names they were; `None` when no name was known.
    pub dialect: Option<Dialect>,
    /// Samples of known names that were used.
    pub used: u32,
    /// Samples of known names dropped: NaN, infinite, negative, absurd, malformed, or too many ranks.
    pub dropped: u32,
}

impl Scrape {
    /// Reads a page; `dialect` restricts it to one engine's names, else the first known name decides.
    ///
    /// Never fails: a page of something else (HTML, say) has `dialect: None` and an empty reading. The caller bounds
    /// the size of what it reads from the network; this function allocates a few numbers per data-parallel rank.
    #[must_use]
    pub fn parse(page: &[u8], dialect: Option<Dialect>) -> Self {
        Self::parse_rank(page, dialect, None)
    }

    /// The same of one data-parallel rank alone: series of others are left out, those that name no rank count.
    #[must_use]
    pub fn parse_rank(page: &[u8], dialect: Option<Dialect>, rank: Option<u32>) -> Self {
        let mut reader = Reader {
            only: rank,
            scrape: Self {
                dialect,
                ..Self::default()
            },
            ..Reader::default()
        };
        let mut rest = page;
        while !rest.is_empty() {
            let end = memchr(b'\n', rest).unwrap_or(rest.len());
            reader.line(rest[..end].trim_ascii());
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        reader.finish()
    }
}

#[derive(Default)]
struct Reader {
    scrape: Scrape,
    /// The rank that is asked for, where not all are.
    only: Option<u32>,
    /// The greatest rank that any series names.
    last_rank: u32,
    folds: [Fold; Metric::COUNT],
    /// vLLM without `kv_cache_size_tokens`: blocks times block size, as each rank states it for all ranks together.
    config_product: Fold,
    adapters: Newest,
}

impl Reader {
    fn line(&mut self, line: &[u8]) {
        if line.is_empty() || line[0] == b'#' {
            return;
        }
        let Some((dialect, metric)) = dialect::lookup(line::name(line)) else {
            return;
        };
        if *self.scrape.dialect.get_or_insert(dialect) != dialect {
            return;
        }
        match Sample::parse(line).and_then(|sample| self.sample(&sample, metric)) {
            Some(true) => self.scrape.used += 1,
            Some(false) => {}
            None => self.scrape.dropped += 1,
        }
    }

    /// True when used, false when it only repeats part of another series, `None` when it makes no sense.
    fn sample(&mut self, sample: &Sample<'_>, metric: Metric) -> Option<bool> {
        let labels = Facts::read(sample);
        self.last_rank = self.last_rank.max(labels.rank.unwrap_or(0));
        if labels
            .rank
            .is_some_and(|rank| self.only.is_some_and(|only| only != rank))
        {
            return Some(false);
        }
        if metric == Metric::CacheConfig {
            return self.cache_config(&labels).then_some(true);
        }
        if metric == Metric::Adapters {
            return self.adapters.take(sample);
        }
        // With priorities on, SGLang publishes a total with an empty label and then each priority again.
        if labels.one_priority {
            return Some(false);
        }
        let value = sample.value().filter(|value| is_sane(metric, *value))?;
        self.add(metric, labels.origin, value).then_some(true)
    }

    fn cache_config(&mut self, labels: &Facts) -> bool {
        let block = labels
            .block_tokens
            .filter(|n| is_sane(Metric::BlockTokens, *n));
        let sane = |n: &f64| is_sane(Metric::CapacityTokens, *n);
        let product = block
            .zip(labels.blocks)
            .map(|(size, count)| size * count)
            .filter(sane);
        let stated = labels.capacity_tokens.filter(sane);
        let mut used = block.is_some_and(|n| self.add(Metric::BlockTokens, labels.origin, n));
        used |= stated.is_some_and(|n| self.add(Metric::CapacityTokens, labels.origin, n));
        used | product.is_some_and(|n| self.config_product.add(labels.origin, n, Rule::Max))
    }

    /// Each rank states the blocks of all, of which one rank has its part.
    fn of_config(&self) -> Option<f64> {
        let ranks = if self.only.is_some() {
            self.last_rank.saturating_add(1)
        } else {
            1
        };
        let all = self.config_product.total(Rule::Max)?;
        Some(all / f64::from(ranks.clamp(1, RANKS_AT_MOST)))
    }

    fn add(&mut self, metric: Metric, origin: Origin, value: f64) -> bool {
        self.folds[metric as usize].add(origin, value, rule(metric))
    }

    fn finish(mut self) -> Scrape {
        if self.scrape.used == 0 && self.scrape.dropped == 0 {
            self.scrape.dialect = None;
        }
        let total = |metric: Metric| self.folds[metric as usize].total(rule(metric));
        let hits = total(Metric::PrefixHits);
        let looked_up = match self.scrape.dialect {
            Some(Dialect::Sglang | Dialect::TensorRtLlm) => hits.and(total(Metric::PromptTokens)),
            Some(Dialect::LlamaCpp) => hits.zip(total(Metric::PromptTokens)).map(|(a, b)| a + b),
            _ => total(Metric::PrefixQueries),
        };
        let capacity = total(Metric::CapacityTokens)
            .or_else(|| self.of_config())
            .or_else(|| Some(total(Metric::CapacityBlocks)? * total(Metric::BlockTokens)?));
        self.scrape.telemetry = Telemetry {
            running: total(Metric::Running).map(|n| whole(n) as u32),
            waiting: total(Metric::Waiting).map(|n| whole(n) as u32),
            kv_used: total(Metric::KvUsed).map(|share| share.min(1.0) as f32),
            kv_capacity_tokens: capacity.map(whole),
            block_tokens: total(Metric::BlockTokens).map(|n| whole(n) as u32),
            prefix_queries_tokens: looked_up.map(whole),
            prefix_hits_tokens: hits.map(whole),
            prompt_tokens: total(Metric::PromptTokens).map(whole),
            generation_tokens: total(Metric::GenerationTokens).map(whole),
            preemptions: total(Metric::Preemptions).map(whole),
        };
        let telemetry = &self.scrape.telemetry;
        let is_idle = (telemetry.running, telemetry.waiting) == (Some(0), Some(0));
        self.scrape.adapters = self.adapters.finish(is_idle);
        self.scrape
    }
}

fn rule(metric: Metric) -> Rule {
    match metric {
        Metric::KvUsed | Metric::BlockTokens => Rule::Max,
        _ => Rule::Sum,
    }
}

fn is_sane(metric: Metric, value: f64) -> bool {
    let range = match metric {
        Metric::KvUsed => 0.0..=MAX_SHARE,
        Metric::Running | Metric::Waiting => 0.0..=MAX_REQUESTS,
        Metric::BlockTokens => 1.0..=MAX_BLOCK_TOKENS,
        Metric::CapacityTokens | Metric::CapacityBlocks => 1.0..=MAX_COUNT,
        _ => 0.0..=MAX_COUNT,
    };
    // NaN lies in no range.
    range.contains(&value)
}

/// Sums of sane values fit 64 bits; the cast saturates in any case.
fn whole(value: f64) -> u64 {
    value as u64
}

/// The labels that matter.
#[derive(Default)]
struct Facts {
    origin: Origin,
    /// The data-parallel rank, where the series names one.
    rank: Option<u32>,
    one_priority: bool,
    block_tokens: Option<f64>,
    blocks: Option<f64>,
    capacity_tokens: Option<f64>,
}

impl Facts {
    fn read(sample: &Sample<'_>) -> Self {
        let mut facts = Self::default();
        for (name, value) in sample.labels() {
            match name {
                b"engine" | b"dp_rank" => {
                    facts.origin.rank = rank(&value);
                    facts.rank = Some(facts.origin.rank);
                }
                b"tp_rank" => facts.origin.shard.1 = rank(&value),
                b"pp_rank" => facts.origin.shard.0 = rank(&value),
                b"priority" => facts.one_priority = !value.is_empty(),
                b"block_size" => facts.block_tokens = number(&value),
                b"num_gpu_blocks" => facts.blocks = number(&value),
                b"kv_cache_size_tokens" => facts.capacity_tokens = number(&value),
                _ => {}
            }
        }
        facts
    }
}

fn number(value: &[u8]) -> Option<f64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// A rank's number; a name that is no number is folded into one, which keeps different names apart.
fn rank(value: &[u8]) -> u32 {
    let parsed = std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok());
    parsed.unwrap_or_else(|| {
        value.iter().fold(0x811c_9dc5, |hash, b| {
            (hash ^ u32::from(*b)).wrapping_mul(0x0100_0193)
        })
    })
}
