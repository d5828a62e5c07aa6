//! Names to plug-ins: what makes a declared pipeline a real one.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Pipeline, PipelineBuilder, PipelineSpec, PluginSpec};
use crate::plugin::{Filter, Observer, Picker, Scorer};

/// A plug-in's parameters as configuration wrote them.
pub type Params = Map<String, Value>;

/// Parameters that a plug-in does not take; the text says which and why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ParamError(String);

impl ParamError {
    /// An error with its reason.
    #[must_use]
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// What is wrong with a declared pipeline, and where.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {kind}")]
pub struct SpecError {
    /// The place inside the pipeline, such as `filters[2]` or `picker`.
    pub path: String,
    /// What is wrong there.
    #[source]
    pub kind: SpecErrorKind,
}

/// The ways a declared pipeline can be wrong.
#[derive(Debug, thiserror::Error)]
pub enum SpecErrorKind {
    /// No plug-in of that name.
    #[error("unknown {what} `{name}`; known: {}", known.join(", "))]
    Unknown {
        /// `filter`, `scorer` or `picker`.
        what: &'static str,
        /// The name as written.
        name: String,
        /// All registered names.
        known: Vec<String>,
    },
    /// The plug-in refused its parameters.
    #[error("`{name}`: {source}")]
    Params {
        /// The plug-in's name.
        name: String,
        /// Its reason.
        source: ParamError,
    },
    /// A weight that is no weight.
    #[error("`{name}`: weight {weight} is not a positive number")]
    Weight {
        /// The plug-in's name.
        name: String,
        /// The weight as written.
        weight: f32,
    },
    /// A key that means nothing here.
    #[error("`{name}`: `{key}` means nothing for a {what}")]
    Misplaced {
        /// The plug-in's name.
        name: String,
        /// The key as written.
        key: &'static str,
        /// `filter`, `scorer` or `picker`.
        what: &'static str,
    },
}

type Factory<T> = Arc<dyn Fn(&Params) -> Result<T, ParamError> + Send + Sync>;
type Table<T> = BTreeMap<String, Factory<T>>;

/// A scorer as built: one that learns is its own observer.
struct BuiltScorer {
    scorer: Arc<dyn Scorer>,
    observer: Option<Arc<dyn Observer>>,
}

/// The plug-ins that declared pipelines may name.
#[derive(Clone, Default)]
pub struct Registry {
    filters: Table<Arc<dyn Filter>>,
    scorers: Table<BuiltScorer>,
    pickers: Table<Arc<dyn Picker>>,
}

impl Registry {
    /// A registry that knows nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// A registry with everything that comes with this crate.
    #[must_use]
    pub fn builtin() -> Self {
        let mut registry = Self::empty();
        crate::plugins::register(&mut registry);
        registry
    }

    /// Adds a filter under `name`. `P` is its parameters: give it `#[serde(deny_unknown_fields)]`, so that a misspelt
    /// parameter is an error.
    pub fn filter<P, T, F>(&mut self, name: &str, build: F) -> &mut Self
    where
        P: DeserializeOwned,
        T: Filter + 'static,
        F: Fn(P) -> Result<T, ParamError> + Send + Sync + 'static,
    {
        let factory = move |params: &Params| -> Result<Arc<dyn Filter>, ParamError> {
            Ok(Arc::new(build(read(params)?)?))
        };
        self.filters.insert(name.to_owned(), Arc::new(factory));
        self
    }

    /// Adds a scorer under `name`; see [`Registry::filter`].
    pub fn scorer<P, T, F>(&mut self, name: &str, build: F) -> &mut Self
    where
        P: DeserializeOwned,
        T: Scorer + 'static,
        F: Fn(P) -> Result<T, ParamError> + Send + Sync + 'static,
    {
        let factory = move |params: &Params| {
            Ok(BuiltScorer {
                scorer: Arc::new(build(read(params)?)?),
                observer: None,
            })
        };
        self.scorers.insert(name.to_owned(), Arc::new(factory));
        self
    }

    /// Adds a scorer that learns under `name`: in every pipeline that names it, it hears what becomes of requests. See
    /// [`Registry::filter`]. What it has learned goes when the pipeline is built anew.
    pub fn learning_scorer<P, T, F>(&mut self, name: &str, build: F) -> &mut Self
    where
        P: DeserializeOwned,
        T: Scorer + Observer + 'static,
        F: Fn(P) -> Result<T, ParamError> + Send + Sync + 'static,
    {
        let factory = move |params: &Params| {
            let scorer = Arc::new(build(read(params)?)?);
            Ok(BuiltScorer {
                observer: Some(Arc::clone(&scorer) as _),
                scorer,
            })
        };
        self.scorers.insert(name.to_owned(), Arc::new(factory));
        self
    }

    /// Adds a picker under `name`; see [`Registry::filter`].
    pub fn picker<P, T, F>(&mut self, name: &str, build: F) -> &mut Self
    where
        P: DeserializeOwned,
        T: Picker + 'static,
        F: Fn(P) -> Result<T, ParamError> + Send + Sync + 'static,
    {
        let factory = move |params: &Params| -> Result<Arc<dyn Picker>, ParamError> {
            Ok(Arc::new(build(read(params)?)?))
        };
        self.pickers.insert(name.to_owned(), Arc::new(factory));
        self
    }

    /// Registered names: filters, scorers, pickers, each sorted.
    #[must_use]
    pub fn names(&self) -> [Vec<&str>; 3] {
        [
            names(&self.filters),
            names(&self.scorers),
            names(&self.pickers),
        ]
    }

    /// Builds a declared pipeline.
    ///
    /// # Errors
    /// With the place and the known names, where a name or a parameter is unknown.
    pub fn build(&self, spec: &PipelineSpec) -> Result<Pipeline, SpecError> {
        let mut builder = Pipeline::builder();
        for (at, plugin) in spec.filters.iter().enumerate() {
            builder = self.add_filter(builder, plugin, || format!("filters[{at}]"))?;
        }
        for (at, plugin) in spec.scorers.iter().enumerate() {
            builder = self.add_scorer(builder, plugin, || format!("scorers[{at}]"))?;
        }
        let (plugin, place) = (&spec.picker, || "picker".to_owned());
        refuse_scorers_keys(plugin, "picker", place)?;
        refuse(plugin.soft, plugin, "soft", "picker", place)?;
        let picker = make(&self.pickers, "picker", plugin, place)?;
        Ok(builder.shared_picker(&plugin.name, picker).build())
    }

    fn add_filter(
        &self,
        builder: PipelineBuilder,
        plugin: &PluginSpec,
        place: impl Fn() -> String,
    ) -> Result<PipelineBuilder, SpecError> {
        refuse_scorers_keys(plugin, "filter", &place)?;
        let filter = make(&self.filters, "filter", plugin, place)?;
        Ok(builder.shared_filter(&plugin.name, filter, plugin.soft))
    }

    fn add_scorer(
        &self,
        builder: PipelineBuilder,
        plugin: &PluginSpec,
        place: impl Fn() -> String,
    ) -> Result<PipelineBuilder, SpecError> {
        refuse(plugin.soft, plugin, "soft", "scorer", &place)?;
        let weight = positive(plugin, &place)?;
        let built = make(&self.scorers, "scorer", plugin, &place)?;
        let scorer = match plugin.transform {
            None => built.scorer,
            Some(transform) => {
                transform
                    .check()
                    .map_err(|source| refused(plugin, place(), source))?;
                Arc::new(transform.over(built.scorer))
            }
        };
        let builder = builder.shared_scorer(&plugin.name, weight, scorer);
        Ok(match built.observer {
            None => builder,
            Some(observer) => builder.observer(observer),
        })
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.names()).finish()
    }
}

fn names<T>(table: &Table<T>) -> Vec<&str> {
    table.keys().map(String::as_str).collect()
}

fn read<P: DeserializeOwned>(params: &Params) -> Result<P, ParamError> {
    serde_json::from_value(Value::Object(params.clone())).map_err(ParamError::new)
}

fn make<T>(
    table: &Table<T>,
    what: &'static str,
    plugin: &PluginSpec,
    place: impl Fn() -> String,
) -> Result<T, SpecError> {
    let Some(factory) = table.get(&plugin.name) else {
        let name = plugin.name.clone();
        let known = table.keys().cloned().collect();
        return Err(SpecError {
            path: place(),
            kind: SpecErrorKind::Unknown { what, name, known },
        });
    };
    factory(&plugin.params).map_err(|source| refused(plugin, place(), source))
}

fn refused(plugin: &PluginSpec, path: String, source: ParamError) -> SpecError {
    let name = plugin.name.clone();
    SpecError {
        path,
        kind: SpecErrorKind::Params { name, source },
    }
}

fn positive(plugin: &PluginSpec, place: impl Fn() -> String) -> Result<f32, SpecError> {
    let weight = plugin.weight.unwrap_or(1.0);
    if weight.is_finite() && weight > 0.0 {
        return Ok(weight);
    }
    Err(SpecError {
        path: place(),
        kind: SpecErrorKind::Weight {
            name: plugin.name.clone(),
            weight,
        },
    })
}

/// Refuses what only a scorer may have.
fn refuse_scorers_keys(
    plugin: &PluginSpec,
    what: &'static str,
    place: impl Fn() -> String,
) -> Result<(), SpecError> {
    refuse(plugin.weight.is_some(), plugin, "weight", what, &place)?;
    refuse(plugin.transform.is_some(), plugin, "transform", what, place)
}

fn refuse(
    misplaced: bool,
    plugin: &PluginSpec,
    key: &'static str,
    what: &'static str,
    place: impl Fn() -> String,
) -> Result<(), SpecError> {
    if !misplaced {
        return Ok(());
    }
    Err(SpecError {
        path: place(),
        kind: SpecErrorKind::Misplaced {
            name: plugin.name.clone(),
            key,
            what,
        },
    })
}
