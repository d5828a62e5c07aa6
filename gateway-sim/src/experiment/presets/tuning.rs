//! To tune policies on.

use super::build::{Preset, Set};
use crate::workload::generate::{
    Agents, Bimodal, Bursts, Chat, Documents, Groups, HotPrefix, Kind, Lengths,
};

pub(super) fn presets() -> Vec<Preset> {
    let mut all = equal_chips();
    all.extend(mixed_chips());
    all.extend(split());
    all.extend(troubled());
    all
}

fn new(name: &str, about: &str, chips: &str, kind: Kind, rate: f64) -> Preset {
    Preset::new(Set::Tuning, name, about, chips, kind, rate)
}

fn equal_chips() -> Vec<Preset> {
    let chat = || Kind::Chat(Chat::default());
    vec![
        new(
            "chat-hbm",
            "Conversations, KV cache on the device only",
            "8x8b-h100",
            chat(),
            19.0,
        )
        .bursty(1.5),
        new(
            "chat-host",
            "Conversations, KV cache in host memory as well",
            "4x8b-h100+2000000",
            chat(),
            10.0,
        )
        .bursty(1.5),
        new(
            "long-reuse",
            "Long prompts with much in common, short answers",
            "8x8b-h100",
            long_reuse(),
            11.0,
        )
        .bursty(1.5),
        new(
            "groups",
            "Groups of users with long prefixes",
            "4x8b-h100",
            Kind::Groups(Groups::default()),
            15.0,
        ),
        new(
            "agents",
            "Agents that call tools",
            "8x8b-h100",
            Kind::Agents(Agents::default()),
            19.0,
        )
        .bursty(1.5),
        new(
            "bursts",
            "Waves of traffic",
            "8x8b-h100",
            Kind::Bursts(Bursts::default()),
            36.0,
        ),
        new(
            "hot-prefix",
            "Most requests have one prefix",
            "8x8b-h100",
            Kind::HotPrefix(HotPrefix::default()),
            37.0,
        ),
        new(
            "documents",
            "Long documents, a few questions each",
            "8x8b-h100+1000000",
            Kind::Documents(Documents::default()),
            6.0,
        ),
    ]
}

/// Lengths and reuse like those of Mooncake's published synthetic trace: input mean 15k and median 12k, output median 69.
fn long_reuse() -> Kind {
    Kind::Documents(Documents {
        document_tokens: Lengths {
            median: 11_000,
            sigma: 0.85,
            at_most: 190_000,
        },
        questions: 3.5,
        pause_seconds: 60.0,
        question_tokens: Lengths::new(400, 1.0),
        output_tokens: Lengths::new(70, 1.2),
    })
}

fn mixed_chips() -> Vec<Preset> {
    let bimodal = || Kind::Bimodal(Bimodal::default());
    vec![
        new(
            "mixed-bimodal",
            "Short and very long prompts on fast and slow chips",
            "4x8b-h100,4x8b-l40s",
            bimodal(),
            38.0,
        )
        .wants(2_000.0, 200.0, 80.0),
        new(
            "mixed-bimodal-3",
            "Short and very long prompts on three kinds of chip",
            "3x8b-h100,3x8b-a100,3x8b-l40s",
            bimodal(),
            34.0,
        )
        .wants(2_000.0, 200.0, 80.0),
        new(
            "mixed-chat",
            "Conversations on chips of three makers",
            "3x8b-h100,3x8b-mi300x,3x8b-910b",
            Kind::Chat(Chat::default()),
            17.0,
        )
        .wants(2_000.0, 200.0, 80.0)
        .bursty(1.5),
        new(
            "mixed-70b",
            "A large model on new and old chips",
            "3x70b-h100-tp4,3x70b-a100-tp4",
            Kind::Chat(Chat::default()),
            4.5,
        )
        .wants(3_000.0, 400.0, 100.0),
    ]
}

fn split() -> Vec<Preset> {
    vec![
        new(
            "split",
            "Prefill and decode apart, equal chips",
            "4x8b-h100:prefill,4x8b-h100:decode",
            Kind::Chat(Chat::default()),
            18.0,
        )
        .bursty(1.5),
        new(
            "split-mixed",
            "Prefill and decode apart, each on mixed chips",
            "2x8b-h100:prefill,3x8b-a100:prefill,2x8b-h200:decode,3x8b-mi300x:decode",
            Kind::Agents(Agents::default()),
            11.0,
        )
        .wants(2_000.0, 250.0, 60.0),
    ]
}

fn troubled() -> Vec<Preset> {
    let chat = || Kind::Chat(Chat::default());
    vec![
        new(
            "slow-node",
            "One engine of eight is half as fast, and says nothing",
            "8x8b-h100",
            chat(),
            17.0,
        )
        .one_slow(2.0, 0.0),
        new(
            "stale-telemetry",
            "Gauges arrive 5 s late",
            "8x8b-h100",
            chat(),
            19.0,
        )
        .fleet(|fleet| fleet.telemetry_delay_seconds = 5.0),
        new(
            "late-events",
            "Cache events arrive 1 s late",
            "4x8b-h100",
            Kind::Groups(Groups::default()),
            15.0,
        )
        .fleet(|fleet| fleet.kv_delay_seconds = 1.0),
        new(
            "blind",
            "No gauges, no events, no data sheets; fast and slow chips",
            "4x8b-h100,4x8b-l40s",
            chat(),
            12.0,
        )
        .wants(2_000.0, 200.0, 80.0)
        .blind(),
    ]
}
