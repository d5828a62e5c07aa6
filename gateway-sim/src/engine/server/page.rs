//! Metrics pages of one label set.

use std::fmt::Write;

use crate::model::ModelMetrics;

/// Kind, name and value.
pub(super) type Row = (&'static str, &'static str, fn(&ModelMetrics) -> f64);

/// Each row once for every label set.
pub(super) fn render(prefix: &str, rows: &[Row], ranks: &[(String, ModelMetrics)]) -> String {
    let mut page = String::new();
    for (kind, name, value) in rows {
        let _ = writeln!(page, "# TYPE {prefix}{name} {kind}");
        for (labels, model) in ranks {
            let labels = match labels.as_str() {
                "" => String::new(),
                labels => format!("{{{labels}}}"),
            };
            let _ = writeln!(page, "{prefix}{name}{labels} {}", value(model));
        }
    }
    page
}

pub(super) fn tokens(model: &ModelMetrics, blocks: u32) -> f64 {
    f64::from(blocks) * f64::from(model.block_tokens)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(super) const fn float(value: u64) -> f64 {
    value as f64
}

/// The share of the prompts' tokens that the cache had.
pub(super) fn hit_rate(model: &ModelMetrics) -> f64 {
    float(model.prefix_hits_tokens) / float(model.prefix_queries_tokens.max(1))
}
