//! To report results of, and never to tune on.

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
    Preset::new(Set::Reported, name, about, chips, kind, rate)
}

/// Longer conversations than those for tuning.
fn talks() -> Kind {
    Kind::Chat(Chat {
        system_tokens: 900,
        opening_tokens: Lengths::new(2_000, 1.1),
        turns: 2.2,
        pause_seconds: 25.0,
        follow_up_tokens: Lengths::new(400, 1.3),
        output_tokens: Lengths::new(300, 0.8),
    })
}

/// Fewer groups than those for tuning, with longer prefixes.
fn tribes() -> Kind {
    Kind::Groups(Groups {
        groups: 60,
        prefix_tokens: Lengths::new(9_000, 0.3),
        users: 8,
        ..Groups::default()
    })
}

/// More turns than those for tuning.
fn loops() -> Kind {
    Kind::Agents(Agents {
        agents: 6,
        turns: 5.0,
        task_tokens: Lengths::new(1_500, 1.0),
        tool_tokens: Lengths::new(1_200, 1.1),
        ..Agents::default()
    })
}

/// Shorter long prompts than those for tuning, and more of them.
fn two_lengths() -> Kind {
    Kind::Bimodal(Bimodal {
        long_share: 0.15,
        short_tokens: Lengths::new(700, 0.6),
        long_tokens: Lengths {
            median: 14_000,
            sigma: 0.5,
            at_most: 60_000,
        },
        ..Bimodal::default()
    })
}

/// A hotter prefix than that for tuning.
fn hot() -> Kind {
    Kind::HotPrefix(HotPrefix {
        hot_share: 0.8,
        cold_prefixes: 60,
        ..HotPrefix::default()
    })
}

/// Longer documents than those for tuning, asked more often.
fn books() -> Kind {
    Kind::Documents(Documents {
        document_tokens: Lengths {
            median: 30_000,
            sigma: 0.5,
            at_most: 120_000,
        },
        questions: 5.0,
        ..Documents::default()
    })
}

/// Shorter waves than those for tuning, and higher.
fn waves() -> Kind {
    Kind::Bursts(Bursts {
        on_seconds: 4.0,
        off_seconds: 12.0,
        ratio: 10.0,
        ..Bursts::default()
    })
}

fn equal_chips() -> Vec<Preset> {
    vec![
        new(
            "chat-hbm-a100",
            "Conversations, KV cache on the device only",
            "8x8b-a100",
            talks(),
            11.0,
        )
        .wants(2_000.0, 200.0, 80.0)
        .bursty(1.5),
        new(
            "chat-host-l40s",
            "Conversations, KV cache in host memory as well",
            "8x8b-l40s+1000000",
            talks(),
            6.5,
        )
        .wants(2_000.0, 250.0, 100.0),
        new(
            "long-reuse-b200",
            "Long prompts with much in common, short answers",
            "4x8b-b200",
            long_reuse(),
            13.0,
        )
        .bursty(1.5),
        new(
            "groups-a100",
            "Groups of users with long prefixes",
            "8x8b-a100",
            tribes(),
            10.0,
        )
        .wants(2_000.0, 200.0, 80.0),
        new(
            "agents-h200",
            "Agents that call tools",
            "4x8b-h200",
            loops(),
            9.0,
        )
        .bursty(1.5),
        new(
            "bursts-h200",
            "Waves of traffic",
            "4x8b-h200",
            waves(),
            29.0,
        ),
        new(
            "hot-prefix-a100",
            "Most requests have one prefix",
            "6x8b-a100",
            hot(),
            12.0,
        )
        .wants(2_000.0, 200.0, 80.0),
        new(
            "documents-h200",
            "Long documents, a few questions each",
            "6x8b-h200",
            books(),
            3.5,
        ),
    ]
}

/// Lengths and reuse like those of Mooncake's published synthetic trace, in shorter sessions than those for tuning.
fn long_reuse() -> Kind {
    Kind::Documents(Documents {
        document_tokens: Lengths {
            median: 12_000,
            sigma: 0.75,
            at_most: 190_000,
        },
        questions: 2.8,
        pause_seconds: 40.0,
        question_tokens: Lengths::new(300, 1.0),
        output_tokens: Lengths::new(90, 1.1),
    })
}

fn mixed_chips() -> Vec<Preset> {
    vec![
        new(
            "mixed-bimodal-b",
            "Short and very long prompts on fast and slow chips",
            "5x8b-h100,3x8b-l40s",
            two_lengths(),
            46.0,
        )
        .wants(2_000.0, 200.0, 80.0),
        new(
            "mixed-bimodal-3b",
            "Short and very long prompts on three kinds of chip",
            "2x8b-h100,4x8b-a100,4x8b-l40s",
            two_lengths(),
            29.0,
        )
        .wants(2_000.0, 200.0, 80.0),
        new(
            "mixed-agents",
            "Agents on chips of three makers",
            "2x8b-h100,4x8b-mi300x,4x8b-910b",
            loops(),
            14.0,
        )
        .wants(2_000.0, 200.0, 80.0),
        new(
            "mixed-70b-b",
            "A large model on three kinds of chip",
            "2x70b-h200-tp4,2x70b-b200-tp2,3x70b-a100-tp4",
            talks(),
            11.0,
        )
        .wants(3_000.0, 400.0, 100.0),
    ]
}

fn split() -> Vec<Preset> {
    vec![
        new(
            "split-6p4d",
            "Prefill and decode apart, equal chips",
            "6x8b-h100:prefill,4x8b-h100:decode",
            loops(),
            17.0,
        ),
        new(
            "split-mixed-b",
            "Prefill and decode apart, each on mixed chips",
            "3x8b-h100:prefill,2x8b-910b:prefill,2x8b-h100:decode,3x8b-a100:decode",
            talks(),
            24.0,
        )
        .wants(2_000.0, 250.0, 60.0),
    ]
}

fn troubled() -> Vec<Preset> {
    vec![
        new(
            "slow-node-b",
            "One engine of four becomes three times as slow after a minute, and says nothing",
            "4x8b-h100",
            tribes(),
            12.0,
        )
        .one_slow(3.0, 60.0),
        new(
            "stale-telemetry-b",
            "Gauges arrive 5 s late; fast and slow chips",
            "4x8b-h100,4x8b-l40s",
            two_lengths(),
            37.0,
        )
        .wants(2_000.0, 200.0, 80.0)
        .fleet(|fleet| fleet.telemetry_delay_seconds = 5.0),
        new(
            "late-events-b",
            "Cache events arrive 1 s late",
            "4x8b-h200",
            loops(),
            9.5,
        )
        .fleet(|fleet| fleet.kv_delay_seconds = 1.0),
        new(
            "blind-b",
            "No gauges, no events, no data sheets; three kinds of chip",
            "3x8b-h100,3x8b-a100,3x8b-910b",
            two_lengths(),
            33.0,
        )
        .wants(2_000.0, 200.0, 80.0)
        .blind(),
    ]
}
