//! How requests are split: for all models, and for single ones.

use gateway_router::{Fallback, PairSettings, Pairs};

use crate::config::file::{ConfigFile, PairsFile, Span};

pub(super) fn lower(file: &ConfigFile) -> Pairs {
    let general = over(PairSettings::default(), file.pairs);
    let own = file.models.iter();
    Pairs {
        general,
        models: own
            .filter_map(|model| Some((model.name.clone(), over(general, model.pairs?))))
            .collect(),
    }
}

/// `wider`, with what `told` says in its place.
fn over(wider: PairSettings, told: PairsFile) -> PairSettings {
    let time = |told: Option<Span>, wider| told.map_or(wider, |Span(time)| time);
    PairSettings {
        fallback: told.fallback.map_or(wider.fallback, Fallback::from),
        prefill: time(told.prefill, wider.prefill),
        decode: time(told.decode, wider.decode),
        grace: time(told.grace, wider.grace),
    }
}
