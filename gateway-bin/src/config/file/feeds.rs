//! KV events: what engines say of their caches.

use std::{borrow::Cow, fmt, num::NonZeroU32};

use gateway_router::feed::{FeedAddress, FeedSettings, FeedSpec, KvEvents};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{Span, values::written};

/// An address over ZeroMQ, such as `tcp://10.0.0.7:5557`.
#[derive(Clone, Debug)]
pub struct Feed(pub FeedAddress);

written!(
    Feed,
    "an address such as `tcp://10.0.0.7:5557`",
    FeedAddress::parse
);

/// Where an endpoint's KV events come from: `auto`, `off`, or a map.
#[derive(Clone, Debug, Default)]
pub struct KvEventsFile(pub KvEvents);

/// A feed that is not to be asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedFile {
    /// Where the engine publishes, such as `tcp://10.0.0.7:5557`, or with `bind` where the gateway listens. Rank `r` has
    /// this port plus `r`.
    pub address: Feed,
    /// Where the engine answers requests for missed batches. Without it a gap costs what was known.
    #[serde(default)]
    pub replay: Option<Feed>,
    /// The topic it publishes under; any where unset.
    #[serde(default)]
    pub topic: String,
    /// Data-parallel ranks, at most 64.
    #[serde(default = "one")]
    pub ranks: NonZeroU32,
    /// Whether the gateway listens and the engine connects. Endpoints may share an address where each has a topic.
    #[serde(default)]
    pub bind: bool,
}

const fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

impl From<FeedFile> for FeedSpec {
    fn from(file: FeedFile) -> Self {
        Self {
            address: file.address.0,
            replay: file.replay.map(|address| address.0),
            topic: file.topic,
            ranks: file.ranks.get(),
            bind: file.bind,
        }
    }
}

impl<'de> Deserialize<'de> for KvEventsFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl<'de> Visitor<'de> for Written {
            type Value = KvEventsFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`auto`, `off` or a map with an `address`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<KvEventsFile, E> {
                match text.trim() {
                    "auto" => Ok(KvEventsFile(KvEvents::Auto)),
                    "off" => Ok(KvEventsFile(KvEvents::Off)),
                    other => Err(E::unknown_variant(other, &["auto", "off"])),
                }
            }

            /// YAML takes an unquoted `off` for false.
            fn visit_bool<E: de::Error>(self, is_on: bool) -> Result<KvEventsFile, E> {
                if is_on {
                    return Err(E::invalid_type(de::Unexpected::Bool(true), &self));
                }
                Ok(KvEventsFile(KvEvents::Off))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<KvEventsFile, A::Error> {
                let feed = FeedFile::deserialize(MapAccessDeserializer::new(map))?;
                Ok(KvEventsFile(KvEvents::At(feed.into())))
            }
        }

        deserializer.deserialize_any(Written)
    }
}

impl JsonSchema for KvEventsFile {
    fn schema_name() -> Cow<'static, str> {
        "KvEvents".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let feed = generator.subschema_for::<FeedFile>();
        json_schema!({ "anyOf": [{ "enum": ["auto", "off"] }, feed] })
    }
}

/// What holds for the KV events of all endpoints.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FeedsFile {
    /// Tokens of one block, for prompts that come as token ids. Need not be the engines' own block size; smaller blocks
    /// match closer and cost more memory.
    pub block_tokens: NonZeroU32,
    /// The lag from which on an engine's events are trusted less.
    pub lag_at_most: Span,
    /// Time between two questions to an engine that keeps its events until it is asked, as TensorRT-LLM does.
    pub poll_every: Span,
}

impl Default for FeedsFile {
    fn default() -> Self {
        let feeds = FeedSettings::default();
        Self {
            block_tokens: feeds.block_tokens.try_into().unwrap_or(NonZeroU32::MIN),
            lag_at_most: Span(feeds.lag_at_most),
            poll_every: Span(feeds.poll_every),
        }
    }
}

impl From<&FeedsFile> for FeedSettings {
    fn from(file: &FeedsFile) -> Self {
        Self {
            block_tokens: file.block_tokens.get(),
            lag_at_most: file.lag_at_most.0,
            poll_every: file.poll_every.0,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, Environment, read};

    fn config(text: &str) -> Result<Config, String> {
        let environment = Environment::Fixed([].into());
        let read = read(text, Path::new("gateway.yaml"), &environment);
        read.map_err(|error| error.to_string())
    }

    fn endpoint(kv_events: &str) -> String {
        format!("endpoints: [{{name: a, url: \"http://a:1\", {kv_events}}}]\n")
    }

    fn told(kv_events: &str) -> KvEvents {
        let config = config(&endpoint(kv_events)).expect("valid");
        config.endpoints[0].settings.kv_events.clone()
    }

    #[test]
    fn words_and_maps_say_where_events_come_from() {
        assert_eq!(told(""), KvEvents::Auto);
        assert_eq!(told("kv_events: auto"), KvEvents::Auto);
        assert_eq!(told("kv_events: off"), KvEvents::Off);
        let map = "kv_events: {address: \"tcp://*:5557\", replay: \"tcp://[::1]:9\", topic: kv, ranks: 2, bind: true}";
        let KvEvents::At(spec) = told(map) else {
            panic!("a feed");
        };
        assert_eq!(spec.address.to_string(), "tcp://*:5557");
        let replay = spec.replay.map(|address| address.to_string());
        assert_eq!(replay.as_deref(), Some("tcp://[::1]:9"));
        assert_eq!((&*spec.topic, spec.ranks, spec.bind), ("kv", 2, true));
        let text = "kv_events: {block_tokens: 64, lag_at_most: 500ms, poll_every: 20ms}";
        let settings = config(text).expect("valid");
        assert_eq!(settings.router.feeds.block_tokens, 64);
        assert_eq!(settings.router.feeds.lag_at_most.as_millis(), 500);
        assert_eq!(settings.router.feeds.poll_every.as_millis(), 20);
    }

    #[test]
    fn what_makes_no_feed_is_refused_by_its_path() {
        let cases = [
            ("kv_events: on", "auto"),
            ("kv_events: {address: \"http://a:1\"}", "tcp://host:port"),
            ("kv_events: {replay: \"tcp://a:1\"}", "address"),
            (
                "kv_events: {address: \"tcp://a:1\", ranks: 65}",
                "64 at most",
            ),
            (
                "kv_events: {address: \"tcp://a:65535\", ranks: 2}",
                "last port",
            ),
            ("kv_events: {address: \"tcp://a:1\", adress: x}", "adress"),
        ];
        for (text, expected) in cases {
            let said = config(&endpoint(text)).expect_err(text);
            assert!(
                said.contains("kv_events") && said.contains(expected),
                "{said}"
            );
        }
        let one = "url: \"http://a:1\", kv_events: {address: \"tcp://*:1\", bind: true}";
        let two = format!("endpoints: [{{name: a, {one}}}, {{name: b, {one}}}]");
        let said = config(&two).expect_err("one address, no topics");
        assert!(said.contains("topic of its own"), "{said}");
        assert!(config("kv_events: {block_tokens: 0}").is_err());
    }
}
