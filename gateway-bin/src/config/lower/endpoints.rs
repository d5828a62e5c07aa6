//! Endpoints: what is written about them, and what is left to ask.

use std::{
    collections::{BTreeSet, HashSet},
    num::NonZeroU32,
};

use gateway_core::EndpointSpec;
use gateway_router::{
    EndpointSettings, EngineKind, Target, TransferSettings,
    feed::{KvEvents, RANKS_AT_MOST},
};

use super::{cx::Cx, hardware, pairs, reach};
use crate::config::{
    ConfigError, Discovery, EndpointConfig,
    file::{EndpointFile, KindName, ModelFile, TransferFile},
    yaml::Path,
};

pub(super) fn lower(
    files: Vec<EndpointFile>,
    cx: &Cx<'_>,
) -> Result<Vec<EndpointConfig>, ConfigError> {
    let mut names = BTreeSet::new();
    let mut endpoints = Vec::with_capacity(files.len());
    for (at, file) in files.into_iter().enumerate() {
        let path = Path::default().key("endpoints").index(at);
        if !names.insert(file.name.clone()) {
            let reason = format!(
                "endpoint `{}` is listed twice; give each endpoint a name of its own",
                file.name
            );
            return Err(cx.invalid(&path.key("name"), reason));
        }
        endpoints.extend(one(file, &path, cx)?);
    }
    check_topics(&endpoints, cx)?;
    Ok(endpoints)
}

/// One endpoint, or one for each of its data-parallel ranks.
pub(super) fn one(
    file: EndpointFile,
    path: &Path,
    cx: &Cx<'_>,
) -> Result<Vec<EndpointConfig>, ConfigError> {
    check(&file, path, cx)?;
    let ranks = file.data_parallel_ranks.map_or(1, NonZeroU32::get);
    let tls = file.tls.as_ref();
    let target = reach::lower(&file.url, file.management.as_ref(), tls, path, cx)?;
    let whole = endpoint(file, target);
    pairs::check(&whole.settings, path, cx)?;
    if ranks == 1 {
        return Ok(vec![whole]);
    }
    let of_rank = |rank| {
        let mut one = whole.clone();
        let settings = &mut one.settings;
        settings.spec.name = format!("{}/{rank}", settings.spec.name);
        settings.target = settings.target.with_rank(rank);
        if let KvEvents::At(spec) = &mut settings.kv_events {
            spec.ranks = ranks;
        }
        one
    };
    Ok((0..ranks).map(of_rank).collect())
}

fn check_ranks(file: &EndpointFile, path: &Path, cx: &Cx<'_>) -> Result<(), ConfigError> {
    let ranks = file.data_parallel_ranks.map_or(1, NonZeroU32::get);
    let path = path.key("data_parallel_ranks");
    if ranks > RANKS_AT_MOST {
        return Err(cx.invalid(&path, format_args!("must be {RANKS_AT_MOST} at most")));
    }
    let speaks = matches!(file.kind, None | Some(KindName::Vllm | KindName::Sglang));
    if ranks > 1 && !speaks {
        return Err(cx.invalid(&path, "only vLLM and SGLang take requests for one rank"));
    }
    Ok(())
}

fn check(file: &EndpointFile, path: &Path, cx: &Cx<'_>) -> Result<(), ConfigError> {
    if file.name.is_empty() {
        return Err(cx.invalid(&path.key("name"), "must not be empty"));
    }
    if let Some([least, most]) = file.prompt_range
        && least > most
    {
        return Err(cx.invalid(
            &path.key("prompt_range"),
            format_args!("{least} is more than {most}"),
        ));
    }
    if file
        .weight
        .is_some_and(|weight| !(weight.is_finite() && weight > 0.0))
    {
        return Err(cx.invalid(&path.key("weight"), "must be a positive number"));
    }
    check_ranks(file, path, cx)?;
    check_feed(file, path, cx)?;
    if let Some(hardware) = &file.hardware {
        hardware::check(hardware, &path.key("hardware"), cx)?;
    }
    if file.models.as_ref().is_some_and(Vec::is_empty) {
        return Err(cx.invalid(
            &path.key("models"),
            "name a model, or leave the key out to have the engine asked",
        ));
    }
    Ok(())
}

fn check_feed(file: &EndpointFile, path: &Path, cx: &Cx<'_>) -> Result<(), ConfigError> {
    let KvEvents::At(spec) = &file.kv_events.0 else {
        return Ok(());
    };
    let ranks = file.data_parallel_ranks.map_or(1, NonZeroU32::get);
    let path = path.key("kv_events");
    if spec.ranks > RANKS_AT_MOST {
        let reason = format!("must be {RANKS_AT_MOST} at most");
        return Err(cx.invalid(&path.key("ranks"), reason));
    }
    let last = spec.ranks.max(ranks).saturating_sub(1);
    for (key, address) in [
        ("address", Some(&spec.address)),
        ("replay", spec.replay.as_ref()),
    ] {
        if address.is_some_and(|address| address.of_rank(last).is_none()) {
            let reason = "its ranks would count past the last port";
            return Err(cx.invalid(&path.key(key), reason));
        }
    }
    Ok(())
}

/// Endpoints that are heard at one address are told apart by their topics.
fn check_topics(endpoints: &[EndpointConfig], cx: &Cx<'_>) -> Result<(), ConfigError> {
    let mut heard = HashSet::new();
    for (at, endpoint) in endpoints.iter().enumerate() {
        for place in endpoint.heard_at() {
            if !heard.insert(place) {
                let path = Path::default().key("endpoints").index(at).key("kv_events");
                let reason =
                    "another endpoint is heard at this address; give each a topic of its own";
                return Err(cx.invalid(&path.key("topic"), reason));
            }
        }
    }
    Ok(())
}

fn endpoint(file: EndpointFile, target: Target) -> EndpointConfig {
    let discovery = Discovery {
        kind: file.kind.is_none(),
        models: file.models.is_none(),
    };
    let spec = EndpointSpec {
        name: file.name,
        models: file.models.unwrap_or_default(),
        adapters: file.adapters,
        loadable: Vec::new(),
        role: file.role.into(),
        labels: file.labels,
        context_tokens: file.context_tokens,
        prompt_range: file.prompt_range.map(|[least, most]| (least, most)),
        weight: file.weight,
        hardware: hardware::lower(file.hardware),
        is_half: file.transfer.as_ref().is_some_and(TransferFile::is_half),
        kv: file
            .transfer
            .as_ref()
            .map(TransferFile::descriptor)
            .unwrap_or_default(),
        source: None,
    };
    let settings = EndpointSettings {
        spec,
        target,
        kind: file.kind.map_or(EngineKind::OpenAi, EngineKind::from),
        credential: file.credential.map(|secret| secret.0),
        kv_events: file.kv_events.0,
        transfer: file.transfer.map(TransferSettings::from),
    };
    EndpointConfig {
        settings,
        discovery,
    }
}

/// A model that is served by tokens needs engines that take them.
pub(super) fn check_kinds(
    models: &[ModelFile],
    endpoints: &[EndpointConfig],
    cx: &Cx<'_>,
) -> Result<(), ConfigError> {
    let by_tokens = |model: &&ModelFile| model.tokens.is_some();
    for (at, endpoint) in endpoints.iter().enumerate() {
        let settings = &endpoint.settings;
        if settings.kind != EngineKind::Tgi {
            continue;
        }
        let spec = &settings.spec;
        let serves = |model: &&ModelFile| {
            spec.models.contains(&model.name) || spec.adapters.contains(&model.name)
        };
        if let Some(model) = models.iter().filter(by_tokens).find(serves) {
            let path = Path::default().key("endpoints").index(at).key("kind");
            let reason = format!(
                "TGI takes no token ids, but model `{}` is served by tokens: leave out its `tokens`, or the endpoint",
                model.name
            );
            return Err(cx.invalid(&path, reason));
        }
    }
    Ok(())
}

/// Every model with an entry of its own must be served, as far as that is known before engines are asked.
pub(super) fn check_models(
    models: &[ModelFile],
    endpoints: &[EndpointConfig],
    cx: &Cx<'_>,
) -> Result<(), ConfigError> {
    if endpoints.iter().any(|endpoint| endpoint.discovery.models) {
        return Ok(());
    }
    let specs = || endpoints.iter().map(|endpoint| &endpoint.settings.spec);
    for (at, model) in models.iter().enumerate() {
        let served = specs()
            .any(|spec| spec.models.contains(&model.name) || spec.adapters.contains(&model.name));
        if !served {
            let mut known: Vec<_> = specs()
                .flat_map(|spec| spec.models.iter().map(String::as_str))
                .collect();
            known.sort_unstable();
            known.dedup();
            let path = Path::default().key("models").index(at).key("name");
            let reason = format!(
                "no endpoint serves model `{}`; they serve: {}",
                model.name,
                known.join(", ")
            );
            return Err(cx.invalid(&path, reason));
        }
    }
    Ok(())
}
