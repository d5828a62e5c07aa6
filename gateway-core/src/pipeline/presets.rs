//! Published policies as whole pipelines, by name.

use super::{PipelineSpec, PipelinesSpec, PluginSpec};

/// A published policy and where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// The name, as configuration writes it: `preset: lmetric`.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    scorers: fn() -> Vec<PluginSpec>,
    picker: &'static str,
}

/// No preset of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown preset `{name}`; known: {}", names())]
pub struct UnknownPreset {
    /// The name as written.
    pub name: String,
}

fn names() -> String {
    PRESETS.map(|preset| preset.name).join(", ")
}

impl Preset {
    /// The pipeline: the filters of [`PipelineSpec::default`], with the policy's own scorers and picker. It does for
    /// every stage.
    #[must_use]
    pub fn pipeline(&self) -> PipelineSpec {
        PipelineSpec {
            filters: PipelineSpec::default().filters,
            scorers: (self.scorers)(),
            picker: PluginSpec::new(self.picker),
        }
    }
}

/// All presets, by name.
pub fn presets() -> impl Iterator<Item = &'static Preset> {
    PRESETS.iter()
}

/// The pipelines of a preset, or `None` where there is none of that name. The pipeline for whole requests decides for the
/// other stages too.
#[must_use]
pub fn preset(name: &str) -> Option<PipelinesSpec> {
    Some(PipelinesSpec {
        unified: Some(PipelineSpec::preset(name).ok()?),
        ..PipelinesSpec::default()
    })
}

impl PipelineSpec {
    /// The pipeline of a preset.
    ///
    /// # Errors
    /// With the known names, where there is none of that name.
    pub fn preset(name: &str) -> Result<Self, UnknownPreset> {
        let found = presets().find(|preset| preset.name == name);
        found.map(Preset::pipeline).ok_or_else(|| UnknownPreset {
            name: name.to_owned(),
        })
    }
}

/// One scorer with its defaults.
macro_rules! only {
    ($name:literal) => {
        || vec![PluginSpec::new($name)]
    };
}

fn weighted<const N: usize>(scorers: [(&str, f32); N]) -> Vec<PluginSpec> {
    let scorer = |(name, weight)| PluginSpec::new(name).weight(weight);
    scorers.map(scorer).into()
}

static PRESETS: [Preset; 17] = [
    Preset {
        name: "cache-aware",
        summary: "the best match while load is balanced, else the shortest queue",
        reference: "SGLang's router, as `cache_aware` in SMG",
        scorers: only!("cache-aware"),
        picker: "best",
    },
    Preset {
        name: "consistent-hash",
        summary: "a home per beginning of a prompt, within a load bound",
        reference: "SMG, `prefix_hash`",
        scorers: only!("consistent-hash"),
        picker: "best",
    },
    Preset {
        name: "dual-map",
        summary: "the better of two homes per beginning of a prompt",
        reference: "DualMap, ICLR 2026",
        scorers: only!("dual-map"),
        picker: "best",
    },
    Preset {
        name: "dynamo",
        summary: "fewest prompt blocks to compute plus blocks in use",
        reference: "NVIDIA Dynamo 1.6, KV router",
        scorers: only!("dynamo-cost"),
        picker: "best",
    },
    Preset {
        name: "latency",
        summary: "the least latency added, to the request and to everyone else",
        reference: "this project",
        scorers: only!("latency"),
        picker: "best",
    },
    Preset {
        name: "least-requests",
        summary: "fewest requests in flight",
        reference: "common practice",
        scorers: only!("least-requests"),
        picker: "best",
    },
    Preset {
        name: "least-tokens",
        summary: "fewest prompt tokens ahead and own",
        reference: "join the least work",
        scorers: only!("least-queued-tokens"),
        picker: "best",
    },
    Preset {
        name: "length-fit",
        summary: "endpoints meant for the length first, then fewest requests",
        reference: "after Moreh's `token-length-scorer`",
        scorers: || weighted([("length-fit", 2.0), ("least-requests", 1.0)]),
        picker: "best",
    },
    Preset {
        name: "llm-d",
        summary: "prefix match, waiting requests and free KV cache, 2 : 1 : 1",
        reference: "llm-d, precise prefix cache sample",
        scorers: || {
            weighted([
                ("prefix-affinity", 2.0),
                ("waiting-requests", 1.0),
                ("kv-headroom", 1.0),
            ])
        },
        picker: "best",
    },
    Preset {
        name: "lmetric",
        summary: "least (prompt tokens ahead and own) x (requests + 1)",
        reference: "LMetric, 2026",
        scorers: only!("lmetric"),
        picker: "best",
    },
    Preset {
        name: "lmetric-ms",
        summary: "as lmetric, with predicted milliseconds in place of tokens",
        reference: "after LMetric, 2026, with rates per endpoint",
        scorers: || vec![PluginSpec::new("lmetric").param("unit", "ms")],
        picker: "best",
    },
    Preset {
        name: "power-of-two",
        summary: "the one with fewer requests of two drawn at random",
        reference: "Mitzenmacher, 2001",
        scorers: only!("least-requests"),
        picker: "power-of-two",
    },
    Preset {
        name: "preble-e2",
        summary: "exploit a long match, explore by recent work otherwise",
        reference: "Preble, ICLR 2025, E2",
        scorers: only!("preble-e2"),
        picker: "best",
    },
    Preset {
        name: "predicted-ttft",
        summary: "the first token soonest",
        reference: "Mooncake, FAST 2025, Algorithm 1",
        scorers: only!("predicted-ttft"),
        picker: "best",
    },
    Preset {
        name: "random",
        summary: "anybody",
        reference: "a baseline",
        scorers: Vec::new,
        picker: "random",
    },
    Preset {
        name: "round-robin",
        summary: "everybody in turn",
        reference: "a baseline",
        scorers: Vec::new,
        picker: "round-robin",
    },
    Preset {
        name: "sticky-until-saturated",
        summary: "where the prompt is cached, until that costs too much",
        reference: "llm-d's default advice, August 2026",
        scorers: only!("sticky-until-saturated"),
        picker: "best",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;

    #[test]
    fn every_preset_builds_and_the_list_is_sorted() {
        let registry = Registry::builtin();
        assert!(PRESETS.is_sorted_by_key(|preset| preset.name));
        for known in presets() {
            let spec = preset(known.name).and_then(|spec| spec.unified);
            let spec = spec.expect(known.name);
            assert_eq!(spec.filters, PipelineSpec::default().filters);
            registry.build(&spec).expect(known.name);
        }
        assert!(preset("lmetrics").is_none());
    }

    #[test]
    fn configuration_names_a_preset_and_may_change_filters_and_picker() {
        let read = |json| serde_json::from_str::<PipelineSpec>(json).map_err(|e| e.to_string());
        let plain = read(r#"{"preset": "lmetric-ms"}"#).expect("known");
        assert_eq!(Ok(plain.clone()), PipelineSpec::preset("lmetric-ms"));
        let changed =
            read(r#"{"preset": "lmetric-ms", "filters": ["healthy"], "picker": "softmax"}"#)
                .expect("known");
        assert_eq!(changed.scorers, plain.scorers);
        assert_eq!(changed.filters, [PluginSpec::new("healthy")]);
        assert_eq!(changed.picker, PluginSpec::new("softmax"));
        let unknown = read(r#"{"preset": "lmetrics"}"#).expect_err("unknown");
        assert!(
            unknown.starts_with("unknown preset `lmetrics`; known: ")
                && unknown.contains("lmetric-ms"),
            "{unknown}"
        );
        let both = read(r#"{"preset": "random", "scorers": ["latency"]}"#).expect_err("both");
        assert!(both.contains("brings its own scorers"), "{both}");
    }
}
