//! A metrics page in Prometheus' text format that is written rank by rank.

use std::fmt::Write;

use crate::engine::recorder::Histogram;

/// The samples of one name, those of all ranks together.
struct Family {
    head: String,
    samples: String,
}

pub(super) struct Page<'a> {
    families: Vec<Family>,
    /// The family that is being written.
    here: usize,
    /// The rank that is being written.
    pub(super) engine: u32,
    model_name: &'a str,
}

impl<'a> Page<'a> {
    pub(super) const fn new(model_name: &'a str) -> Self {
        Self {
            families: Vec::new(),
            here: 0,
            engine: 0,
            model_name,
        }
    }

    /// All families, each with the samples of every rank.
    pub(super) fn into_text(self) -> String {
        let texts = self.families.iter();
        texts
            .flat_map(|family| [family.head.as_str(), family.samples.as_str()])
            .collect()
    }

    /// Where samples that are unlike the others are written.
    pub(super) fn samples(&mut self) -> &mut String {
        &mut self.families[self.here].samples
    }

    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        let head = format!("# HELP vllm:{name} {help}\n# TYPE vllm:{name} {kind}\n");
        let known = self.families.iter().position(|family| family.head == head);
        self.here = known.unwrap_or_else(|| {
            let samples = String::new();
            self.families.push(Family { head, samples });
            self.families.len() - 1
        });
    }

    /// One sample; `labels` are further ones, each with a comma after it.
    pub(super) fn sample(&mut self, name: &str, labels: &str, value: f64) {
        let (engine, model_name) = (self.engine, self.model_name);
        let _ = writeln!(
            self.families[self.here].samples,
            "vllm:{name}{{engine=\"{engine}\",{labels}model_name=\"{model_name}\"}} {}",
            number(value)
        );
    }

    pub(super) fn single(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, "", value);
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.family(name, "histogram", help);
        self.sample(&format!("{name}_sum"), "", histogram.sum);
        let mut below = 0;
        for (place, count) in histogram.counts.iter().enumerate() {
            below += count;
            let bound = histogram
                .bounds
                .get(place)
                .map_or_else(|| "+Inf".to_owned(), |bound| format!("{bound:?}"));
            self.sample(
                &format!("{name}_bucket"),
                &format!("le=\"{bound}\","),
                float(below),
            );
        }
        self.sample(&format!("{name}_count"), "", float(below));
    }
}

/// Numbers as Python's client writes them.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else {
        format!("{value:?}")
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(super) const fn float(value: u64) -> f64 {
    value as f64
}
