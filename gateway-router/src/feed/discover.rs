//! Finding an engine's publishers in what it says of itself.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{FeedAddress, FeedSource, settings::RANKS_AT_MOST};

/// How a kind of engine names its publishers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// vLLM from 0.31 on: `GET /kv_event_sources`, a map from rank to configuration, ports already counted up.
    Vllm,
    /// `SGLang`: `GET /server_info`, first ports and the number of ranks.
    Sglang,
}

impl Listing {
    /// The route that answers.
    pub(crate) const fn route(self) -> &'static str {
        match self {
            Self::Vllm => "/kv_event_sources",
            Self::Sglang => "/server_info",
        }
    }

    /// The sources that `body` names, sorted by rank; entries that make no sense are left out. `host` is the engine's, for
    /// publishers that listen on every interface.
    pub(crate) fn read(self, body: &[u8], host: &str) -> Vec<FeedSource> {
        match self {
            Self::Vllm => vllm(body, host),
            Self::Sglang => sglang(body, host),
        }
    }
}

#[derive(Deserialize)]
struct VllmEntry {
    #[serde(default)]
    enable_kv_cache_events: bool,
    publisher: Option<String>,
    endpoint: String,
    replay_endpoint: Option<String>,
    #[serde(default)]
    topic: String,
}

fn vllm(body: &[u8], host: &str) -> Vec<FeedSource> {
    let Ok(entries) = serde_json::from_slice::<BTreeMap<u32, serde_json::Value>>(body) else {
        return Vec::new();
    };
    entries
        .into_iter()
        .filter_map(|(rank, entry)| vllm_source(rank, entry, host))
        .take(RANKS_AT_MOST as usize)
        .collect()
}

fn vllm_source(rank: u32, entry: serde_json::Value, host: &str) -> Option<FeedSource> {
    let entry: VllmEntry = serde_json::from_value(entry).ok()?;
    let publishes = entry.enable_kv_cache_events && entry.publisher.as_deref() != Some("null");
    let replay = entry.replay_endpoint.as_deref();
    publishes.then_some(())?;
    Some(FeedSource {
        rank,
        publish: address(&entry.endpoint, host)?,
        replay: replay.and_then(|text| address(text, host)),
        topic: entry.topic,
        bind: false,
    })
}

fn address(text: &str, host: &str) -> Option<FeedAddress> {
    Some(FeedAddress::parse(text).ok()?.reachable_at(host))
}

#[derive(Deserialize)]
struct SglangInfo {
    kv_events: Option<SglangEvents>,
}

#[derive(Deserialize)]
struct SglangEvents {
    publisher: Option<String>,
    endpoint_host: String,
    endpoint_port_base: u16,
    #[serde(default)]
    topic: String,
    dp_size: Option<u32>,
    replay_endpoint_port_base: Option<u16>,
}

fn sglang(body: &[u8], host: &str) -> Vec<FeedSource> {
    let info = serde_json::from_slice::<SglangInfo>(body).ok();
    let Some(events) = info.and_then(|info| info.kv_events) else {
        return Vec::new();
    };
    if events.publisher.as_deref() == Some("null") {
        return Vec::new();
    }
    let at = |port: u16, rank: u32| {
        let base = FeedAddress::new(events.endpoint_host.clone(), port).of_rank(rank);
        base.map(|address| address.reachable_at(host))
    };
    let ranks = 0..events.dp_size.unwrap_or(1).clamp(1, RANKS_AT_MOST);
    ranks
        .filter_map(|rank| {
            let replay = events.replay_endpoint_port_base;
            Some(FeedSource {
                rank,
                publish: at(events.endpoint_port_base, rank)?,
                replay: replay.and_then(|port| at(port, rank)),
                topic: events.topic.clone(),
                bind: false,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sources: &[FeedSource]) -> Vec<String> {
        let replay = |source: &FeedSource| source.replay.as_ref().map(ToString::to_string);
        sources
            .iter()
            .map(|s| {
                format!(
                    "{} {} {} {}",
                    s.rank,
                    s.publish,
                    replay(s).unwrap_or_default(),
                    s.topic
                )
            })
            .collect()
    }

    #[test]
    fn reads_what_vllm_0_32_says_with_two_ranks() {
        let body = br#"{"0":{"enable_kv_cache_events":true,"publisher":"zmq","endpoint":"tcp://*:5667","replay_endpoint":"tcp://*:5677","buffer_steps":10000,"hwm":100000,"max_queue_size":100000,"topic":"kv@dp"},"1":{"enable_kv_cache_events":true,"publisher":"zmq","endpoint":"tcp://10.0.0.9:5668","replay_endpoint":null,"buffer_steps":10000,"hwm":100000,"max_queue_size":100000,"topic":"kv@dp"}}"#;
        assert_eq!(
            shown(&Listing::Vllm.read(body, "engine")),
            [
                "0 tcp://engine:5667 tcp://engine:5677 kv@dp",
                "1 tcp://10.0.0.9:5668  kv@dp"
            ]
        );
    }

    #[test]
    fn reads_what_sglang_0_5_23_says() {
        let body = br#"{"model_path":"m","kv_events":{"publisher":"zmq","endpoint_host":"*","endpoint_port_base":5567,"topic":"kv-sgl","block_size":16,"dp_size":2,"replay_endpoint_port_base":5577},"internal_states":[{}]}"#;
        assert_eq!(
            shown(&Listing::Sglang.read(body, "::1")),
            [
                "0 tcp://[::1]:5567 tcp://[::1]:5577 kv-sgl",
                "1 tcp://[::1]:5568 tcp://[::1]:5578 kv-sgl"
            ]
        );
    }

    #[test]
    fn engines_without_events_name_no_source() {
        for body in [
            "{}",
            "[]",
            "",
            "null",
            r#"{"detail":"Not Found"}"#,
            r#"{"kv_events":null}"#,
            r#"{"0":{"enable_kv_cache_events":false,"endpoint":"tcp://*:1"}}"#,
            r#"{"0":{"enable_kv_cache_events":true,"publisher":"null","endpoint":"tcp://*:1"}}"#,
            r#"{"0":{"enable_kv_cache_events":true,"publisher":"zmq","endpoint":"ipc:///kv"}}"#,
            r#"{"kv_events":{"publisher":"null","endpoint_host":"*","endpoint_port_base":1}}"#,
        ] {
            assert!(
                Listing::Vllm.read(body.as_bytes(), "h").is_empty(),
                "{body}"
            );
            assert!(
                Listing::Sglang.read(body.as_bytes(), "h").is_empty(),
                "{body}"
            );
        }
    }
}
