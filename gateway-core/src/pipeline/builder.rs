//! A pipeline and how it is put together.

use std::{fmt, sync::Arc};

use crate::{
    pipeline::{PipelineSpec, Registry},
    plugin::{Filter, Observer, Picker, RouteEvent, Scorer},
    plugins::pickers::Best,
};

pub(super) struct NamedFilter {
    pub(super) name: String,
    pub(super) soft: bool,
    pub(super) filter: Arc<dyn Filter>,
}

pub(super) struct NamedScorer {
    pub(super) name: String,
    /// The share of this scorer in the total; all shares of a pipeline add up to 1.
    pub(super) share: f32,
    pub(super) scorer: Arc<dyn Scorer>,
}

/// Filters, weighted scorers and a picker, ready to choose. Immutable and cheap to share.
pub struct Pipeline {
    pub(super) filters: Vec<NamedFilter>,
    pub(super) scorers: Vec<NamedScorer>,
    pub(super) picker_name: String,
    pub(super) picker: Arc<dyn Picker>,
    observers: Vec<Arc<dyn Observer>>,
    /// Whether a sample of a large fleet is enough for every scorer.
    pub(super) allows_samples: bool,
}

impl Pipeline {
    /// An empty pipeline to add to; without a picker it takes the best.
    #[must_use]
    pub fn builder() -> PipelineBuilder {
        PipelineBuilder::default()
    }

    /// Tells the pipeline's observers what became of a request.
    pub fn observe(&self, event: &RouteEvent<'_>) {
        for observer in &self.observers {
            observer.observe(event);
        }
    }
}

impl Default for Pipeline {
    /// The pipeline of [`PipelineSpec::default`].
    fn default() -> Self {
        Registry::builtin()
            .build(&PipelineSpec::default())
            .expect("the default names only built-in plug-ins")
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field(
                "filters",
                &self
                    .filters
                    .iter()
                    .map(|filter| &filter.name)
                    .collect::<Vec<_>>(),
            )
            .field(
                "scorers",
                &self
                    .scorers
                    .iter()
                    .map(|scorer| (&scorer.name, scorer.share))
                    .collect::<Vec<_>>(),
            )
            .field("picker", &self.picker_name)
            .finish_non_exhaustive()
    }
}

/// Collects the parts of a [`Pipeline`].
#[derive(Default)]
pub struct PipelineBuilder {
    filters: Vec<NamedFilter>,
    scorers: Vec<NamedScorer>,
    picker: Option<(String, Arc<dyn Picker>)>,
    observers: Vec<Arc<dyn Observer>>,
}

impl PipelineBuilder {
    /// Adds a filter. The name is for explanations alone.
    #[must_use]
    pub fn filter(self, name: &str, filter: impl Filter + 'static) -> Self {
        self.shared_filter(name, Arc::new(filter), false)
    }

    /// Adds a filter that is skipped where it would leave nobody.
    #[must_use]
    pub fn soft_filter(self, name: &str, filter: impl Filter + 'static) -> Self {
        self.shared_filter(name, Arc::new(filter), true)
    }

    /// Adds a scorer with a weight relative to the others. Weights that are not positive numbers count as 0.
    #[must_use]
    pub fn scorer(self, name: &str, weight: f32, scorer: impl Scorer + 'static) -> Self {
        self.shared_scorer(name, weight, Arc::new(scorer))
    }

    /// Sets the picker.
    #[must_use]
    pub fn picker(self, name: &str, picker: impl Picker + 'static) -> Self {
        self.shared_picker(name, Arc::new(picker))
    }

    /// Adds somebody who hears what became of requests. A plug-in that learns is added twice: as what it is and here.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    pub(super) fn shared_filter(mut self, name: &str, filter: Arc<dyn Filter>, soft: bool) -> Self {
        self.filters.push(NamedFilter {
            name: name.to_owned(),
            soft,
            filter,
        });
        self
    }

    /// Adds a scorer that something else holds too, usually an observer.
    #[must_use]
    pub fn shared_scorer(mut self, name: &str, weight: f32, scorer: Arc<dyn Scorer>) -> Self {
        let share = if weight.is_finite() && weight > 0.0 {
            weight
        } else {
            0.0
        };
        self.scorers.push(NamedScorer {
            name: name.to_owned(),
            share,
            scorer,
        });
        self
    }

    pub(super) fn shared_picker(mut self, name: &str, picker: Arc<dyn Picker>) -> Self {
        self.picker = Some((name.to_owned(), picker));
        self
    }

    /// The pipeline.
    #[must_use]
    pub fn build(mut self) -> Pipeline {
        let total: f32 = self.scorers.iter().map(|scorer| scorer.share).sum();
        for scorer in &mut self.scorers {
            scorer.share = if total > 0.0 {
                scorer.share / total
            } else {
                0.0
            };
        }
        let (picker_name, picker) = self
            .picker
            .unwrap_or_else(|| ("best".to_owned(), Arc::new(Best)));
        let is_scored = !self.scorers.is_empty();
        let allows_samples = is_scored && self.scorers.iter().all(|named| named.scorer.samples());
        Pipeline {
            allows_samples,
            filters: self.filters,
            scorers: self.scorers,
            picker_name,
            picker,
            observers: self.observers,
        }
    }
}

impl fmt::Debug for PipelineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineBuilder").finish_non_exhaustive()
    }
}
