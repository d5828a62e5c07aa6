//! How requests are split: for all models, and for single ones.

use std::net::Ipv4Addr;

use gateway_core::Role;
use gateway_router::{
    EndpointSettings, Fallback, PairSettings, Pairs, proto::engines::transfer::Connector,
};

use super::cx::Cx;
use crate::config::{
    ConfigError,
    file::{ConfigFile, PairsFile, Span},
    yaml::Path,
};

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

/// `MindIE`'s engines take no names: where one is handed requests must be an address.
pub(super) fn check(
    settings: &EndpointSettings,
    path: &Path,
    cx: &Cx<'_>,
) -> Result<(), ConfigError> {
    let Some(transfer) = &settings.transfer else {
        return Ok(());
    };
    let is_handed = transfer.connector == Connector::MindIe && settings.spec.role != Role::Prefill;
    let host = transfer.bootstrap.0.as_deref();
    let host = host.unwrap_or_else(|| settings.target.host());
    if !is_handed || host.parse::<Ipv4Addr>().is_ok() {
        return Ok(());
    }
    let path = path.key("transfer").key("bootstrap_host");
    let reason =
        format!("`{host}` must be an IPv4 address: MindIE's prefill engines take no names");
    Err(cx.invalid(&path, reason))
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use super::*;
    use crate::config::{Config, Environment, read};

    fn config(text: &str) -> Config {
        let environment = Environment::Fixed(Default::default());
        read(text, Path::new("gateway.yaml"), &environment).expect("valid")
    }

    #[test]
    fn a_model_takes_from_the_top_level_what_it_leaves_open() {
        let pairs = config(
            "pairs: {fallback: combined_pool, prefill: 5s}\n\
             models: [{name: a, pairs: {fallback: never, grace: 1s}}, {name: b}]\n\
             endpoints: [{name: e, url: \"http://e:1\", models: [a, b]}]\n",
        )
        .router
        .pairs;
        let general = PairSettings {
            fallback: Fallback::CombinedPool,
            prefill: Duration::from_secs(5),
            ..PairSettings::default()
        };
        assert_eq!(pairs.of("b"), general);
        let own = PairSettings {
            fallback: Fallback::Never,
            grace: Duration::from_secs(1),
            ..general
        };
        assert_eq!(pairs.of("a"), own);
        assert_eq!(config("").router.pairs, Pairs::default());
    }

    #[test]
    fn a_decode_engine_of_mindie_has_an_address() {
        let told = |role: &str, url: &str, more: &str| {
            let transfer = format!("{{connector: mindie{more}}}");
            let text = format!(
                "endpoints: [{{name: d, url: \"http://{url}:1025\", role: {role}, transfer: {transfer}}}]\n"
            );
            let environment = Environment::Fixed(Default::default());
            read(&text, Path::new("gateway.yaml"), &environment)
        };
        for good in [
            told("decode", "10.0.0.7", ""),
            told(
                "decode",
                "d",
                ", bootstrap_host: 10.0.0.7, bootstrap_port: 1121",
            ),
            told("prefill", "p", ""),
        ] {
            let config = good.expect("valid");
            assert!(!config.endpoints[0].settings.spec.serves_whole());
        }
        let error = told("decode", "d", "").expect_err("a name").to_string();
        assert!(error.contains("`d` must be an IPv4 address"), "{error}");
    }

    #[test]
    fn endpoints_say_what_their_partners_must_agree_on() {
        let config = config(
            "endpoints:\n  - {name: p, url: \"http://p:1\", role: prefill, transfer: {connector: sglang, \
             bootstrap_port: 9000, dtype: fp8, tensor_parallel: 2}}\n  - {name: d, url: \"http://d:1\", \
             role: decode, transfer: {connector: nixl}}\n  - {name: u, url: \"http://u:1\"}\n",
        );
        let [p, d, u] = &config.endpoints[..] else {
            panic!("three endpoints")
        };
        let (p, d, u) = (&p.settings, &d.settings, &u.settings);
        let transfer = p.transfer.as_ref().expect("said");
        assert_eq!(transfer.connector, Connector::Sglang);
        assert_eq!(transfer.bootstrap, (None, Some(9000)));
        assert_eq!(p.spec.role, Role::Prefill);
        assert_eq!(
            (p.spec.serves_whole(), d.spec.serves_whole()),
            (false, true)
        );
        let mismatch = p.spec.kv.mismatch(&d.spec.kv).expect("no pair");
        assert_eq!(mismatch.to_string(), "connector sglang, not nixl");
        assert_eq!(u.transfer, None);
    }
}
