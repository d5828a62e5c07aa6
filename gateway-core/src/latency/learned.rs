//! What a fleet has learned, to keep across restarts: a cache that may be lost.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Hardware, LearnedClass, LearnedEngine, outputs::LearnedOutput};
use crate::{Fleet, hash};

/// The shape of [`Learned`] as it is written now.
const VERSION: u32 = 1;

/// Why kept knowledge cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LearnedError {
    /// Not what [`Learned::to_json`] writes.
    #[error("it is not what the gateway writes: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Written by another version.
    #[error("it has version {0}, not {VERSION}")]
    Version(u64),
}

/// The weights of classes, the speeds of endpoints and the lengths of outputs. Bounded by the fleet and by the number of
/// groups whose output lengths are remembered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    version: u32,
    classes: BTreeMap<String, LearnedClass>,
    endpoints: BTreeMap<String, LearnedEndpoint>,
    outputs: Vec<LearnedOutput>,
}

/// One endpoint: what was learned is relative to a first guess, so it counts only while the hardware is the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LearnedEndpoint {
    class: String,
    hardware: u64,
    speed: LearnedEngine,
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

impl Learned {
    /// As it is kept in a file.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("names and numbers always serialise")
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// Where it is something else or of another version.
    pub fn from_json(json: &[u8]) -> Result<Self, LearnedError> {
        let Versioned { version } = serde_json::from_slice(json)?;
        if version != u64::from(VERSION) {
            return Err(LearnedError::Version(version));
        }
        Ok(serde_json::from_slice(json)?)
    }
}

impl Fleet {
    /// What was learned of these endpoints and of those who ask them.
    #[must_use]
    pub fn learned(&self) -> Learned {
        let classes = self.classes().into_iter();
        let endpoints = self.endpoints().iter().map(|endpoint| {
            let learned = LearnedEndpoint {
                class: endpoint.class().to_owned(),
                hardware: fingerprint(&endpoint.spec().hardware),
                speed: endpoint.state().model().learned(),
            };
            (endpoint.name().to_owned(), learned)
        });
        Learned {
            version: VERSION,
            classes: classes
                .map(|(name, class)| (name, class.learned()))
                .collect(),
            endpoints: endpoints.collect(),
            outputs: self.outputs().learned(),
        }
    }

    /// Takes over what was learned earlier of endpoints that have the same name and hardware still. Impossible values are
    /// ignored.
    pub fn restore(&self, learned: &Learned) {
        for endpoint in self.endpoints() {
            let known = learned.endpoints.get(endpoint.name()).filter(|known| {
                known.hardware == fingerprint(&endpoint.spec().hardware)
                    && known.class == endpoint.class()
            });
            let Some(known) = known else {
                continue;
            };
            if let Some(class) = learned.classes.get(&known.class) {
                endpoint.state().model().class().restore(class);
            }
            endpoint.state().restore(&known.speed);
        }
        self.outputs().restore(&learned.outputs);
    }
}

fn fingerprint(hardware: &Hardware) -> u64 {
    let written = serde_json::to_vec(hardware).expect("names and numbers always serialise");
    hash::seed(&[&written])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EndpointSpec, RouteCx, Timestamp,
        latency::{Chip, OutputKey, PrefillSample, PromptWork},
    };

    fn fleet(chip: &str) -> Fleet {
        let hardware = Chip::named(chip).expect("known").hardware(1);
        Fleet::new(["a", "b"].map(|name| EndpointSpec::new(name).hardware(hardware.clone())))
            .expect("valid")
    }

    fn taught() -> Fleet {
        let fleet = fleet("h100");
        let slow = fleet.by_name("a").expect("there").state();
        let work = PromptWork::of(4_000, 0, 0);
        let mut model = slow.model();
        for _ in 0..60 {
            let elapsed_ms = 3.0 * model.prefill_ms(&work, 0.0, 0.0) / model.learned().prefill;
            model.learn_prefill(&PrefillSample {
                work,
                elapsed_ms,
                ..PrefillSample::default()
            });
        }
        slow.restore(&model.learned());
        let key = OutputKey::of(&RouteCx::new("m", Timestamp::ZERO));
        (0..100).for_each(|_| fleet.outputs().learn(&key, 900));
        fleet
    }

    fn guess(fleet: &Fleet, name: &str) -> f64 {
        let model = fleet.by_name(name).expect("there").state().model();
        model.prefill_ms(&PromptWork::of(4_000, 0, 0), 0.0, 0.0)
    }

    #[test]
    fn what_was_learned_survives_a_restart() {
        let before = taught();
        let kept = Learned::from_json(&before.learned().to_json()).expect("just written");
        assert_eq!(kept, before.learned());
        let after = fleet("h100");
        assert!(guess(&before, "a") > 1.5 * guess(&after, "a"), "it learned");
        after.restore(&kept);
        for name in ["a", "b"] {
            assert!((guess(&after, name) / guess(&before, name) - 1.0).abs() < 1e-9);
        }
        let key = OutputKey::of(&RouteCx::new("m", Timestamp::ZERO));
        let lengths = [before.outputs().expect(&key), after.outputs().expect(&key)];
        assert!((lengths[0] - lengths[1]).abs() < 1e-9 && lengths[1] > 700.0);
    }

    #[test]
    fn another_chip_under_the_name_learns_anew() {
        let kept = taught().learned();
        let (other, fresh) = (fleet("l40s"), fleet("l40s"));
        other.restore(&kept);
        assert!((guess(&other, "a") - guess(&fresh, "a")).abs() < 1e-9);
    }

    #[test]
    fn nonsense_and_other_versions_are_refused() {
        let future = br#"{"version":2,"planets":[]}"#;
        assert!(matches!(
            Learned::from_json(future),
            Err(LearnedError::Version(2))
        ));
        for bad in [&b""[..], b"{", b"[]", br#"{"version":1}"#, b"\xff\xfe"] {
            assert!(matches!(
                Learned::from_json(bad),
                Err(LearnedError::Malformed(_))
            ));
        }
    }

    #[test]
    fn impossible_values_change_nothing() {
        let good = taught().learned();
        let odd = |learned: &mut Learned| {
            for endpoint in learned.endpoints.values_mut() {
                endpoint.speed = LearnedEngine {
                    prefill: -1.0,
                    decode: f64::NAN,
                };
            }
            for class in learned.classes.values_mut() {
                class.prefill = [1e9; 5];
            }
            for output in &mut learned.outputs {
                output.tokens = f64::INFINITY;
            }
        };
        let mut bad = good;
        odd(&mut bad);
        let (target, fresh) = (fleet("h100"), fleet("h100"));
        target.restore(&bad);
        assert!((guess(&target, "a") - guess(&fresh, "a")).abs() < 1e-9);
        let key = OutputKey::of(&RouteCx::new("m", Timestamp::ZERO));
        assert!((target.outputs().expect(&key) - fresh.outputs().expect(&key)).abs() < 1e-9);
    }
}
