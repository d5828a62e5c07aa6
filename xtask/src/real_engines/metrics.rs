//! As much of the Prometheus text format as the checks read.

/// One scrape.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    samples: Vec<Sample>,
}

/// One line of a scrape: name, the text between the braces, value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: String,
    pub(super) value: f64,
}

impl Metrics {
    /// Reads every sample line; comments and lines of another shape are left out.
    pub(super) fn parse(text: &str) -> Self {
        Self {
            samples: text.lines().filter_map(sample).collect(),
        }
    }

    /// The sum of `name` over all its label sets, 0 when there is none.
    pub(super) fn sum(&self, name: &str) -> f64 {
        self.samples
            .iter()
            .filter(|sample| sample.name == name)
            .map(|sample| sample.value)
            .sum()
    }

    /// Samples whose labels hold `key="value"`.
    pub(super) fn labelled(&self, key: &str, value: &str) -> impl Iterator<Item = &Sample> {
        let pair = format!("{key}=\"{value}\"");
        self.samples
            .iter()
            .filter(move |sample| sample.labels.split(',').any(|label| label == pair))
    }
}

fn sample(line: &str) -> Option<Sample> {
    if line.starts_with('#') {
        return None;
    }
    let (series, value) = match line.rsplit_once('}') {
        Some((series, rest)) => (series, rest.split_whitespace().next()?),
        None => line.split_once(' ')?,
    };
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    Some(Sample {
        name: name.to_owned(),
        labels: labels.to_owned(),
        value: value.trim().parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# HELP running requests
# TYPE running gauge
running{engine=\"0\",model_name=\"m\"} 2.0
running{engine=\"1\",model_name=\"m\"} 3.0
plain 7
broken
";

    #[test]
    fn sums_over_label_sets() {
        let metrics = Metrics::parse(TEXT);
        assert!((metrics.sum("running") - 5.0).abs() < f64::EPSILON);
        assert!((metrics.sum("plain") - 7.0).abs() < f64::EPSILON);
        assert!(metrics.sum("absent").abs() < f64::EPSILON);
    }

    #[test]
    fn finds_samples_by_label() {
        let metrics = Metrics::parse(TEXT);
        let found: Vec<_> = metrics.labelled("engine", "1").collect();
        assert_eq!(found.len(), 1);
        assert!((found[0].value - 3.0).abs() < f64::EPSILON);
        assert_eq!(metrics.labelled("engine", "2").count(), 0);
    }
}
