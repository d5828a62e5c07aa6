//! What the endpoints of a source have in common.

use gateway_router::{Target, feed::KvEvents};

use super::{cx::Cx, endpoints};
use crate::config::{
    ConfigError, Template,
    file::{Engine, TemplateFile},
    yaml::Path,
};

/// What stands for the host of an address: one as sources see them, since some engines take no names.
const NOWHERE: &str = "0.0.0.0";

pub(super) fn lower(file: TemplateFile, path: &Path, cx: &Cx<'_>) -> Result<Template, ConfigError> {
    let path = path.key("endpoint");
    check_feed(&file.kv_events.0, &path.key("kv_events"), cx)?;
    let transfer = file.transfer.as_ref();
    if transfer.is_some_and(|transfer| transfer.bootstrap_host.is_some()) {
        let reason = "would be the same for all endpoints of a source; each is its own";
        return Err(cx.invalid(&path.key("transfer").key("bootstrap_host"), reason));
    }
    let scheme = if file.https { "https" } else { "http" };
    let nowhere = |key: &str, base: &str| {
        let is_path = base.is_empty() || base.starts_with('/');
        let target = Target::parse(&format!("{scheme}://{NOWHERE}{base}"));
        let target = target.ok().filter(|_| is_path).map(Engine);
        target.ok_or_else(|| cx.invalid(&path.key(key), "must begin with a slash"))
    };
    let management_port = file.management_port;
    if management_port.is_none() && !file.management_path.is_empty() {
        let reason = "is of another port: give `management_port`, too";
        return Err(cx.invalid(&path.key("management_path"), reason));
    }
    let url = nowhere("path", &file.path)?;
    let management = nowhere("management_path", &file.management_path)?;
    let management = management_port.map(|_| management);
    let file = file.endpoint("endpoint".to_owned(), url, management);
    let endpoints = endpoints::one(file, &path, cx)?;
    Ok(Template {
        endpoints,
        management_port,
    })
}

/// A template's feed is one for each endpoint, so it must be where that is.
fn check_feed(events: &KvEvents, path: &Path, cx: &Cx<'_>) -> Result<(), ConfigError> {
    let KvEvents::At(spec) = events else {
        return Ok(());
    };
    if spec.bind {
        let reason = "all endpoints of a source would be heard at one address, and none could be told from the others";
        return Err(cx.invalid(&path.key("bind"), reason));
    }
    for (key, address) in [
        ("address", Some(&spec.address)),
        ("replay", spec.replay.as_ref()),
    ] {
        if address.is_some_and(|address| !address.is_every_interface()) {
            let reason = "write `*` for its host: each endpoint of a source publishes at its own";
            return Err(cx.invalid(&path.key(key), reason));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use gateway_router::discovery::Seen;

    use crate::config::{Environment, Template, read};

    /// The template of the one source, with these keys.
    fn template(keys: &str) -> Result<Template, String> {
        let text = format!(
            "discovery: {{dns: [{{name: pool, host: engines, port: 8000, endpoint: {{{keys}}}}}]}}\n"
        );
        let read = read(&text, Path::new("gateway.yaml"), &Environment::empty());
        let mut config = read.map_err(|error| error.to_string())?;
        let source = config.discovery.sources.remove(0);
        Ok(source.template.expect("of a name in DNS"))
    }

    #[test]
    fn each_endpoint_has_a_feed_of_its_own() {
        template("kv_events: {address: \"tcp://*:5557\", replay: \"tcp://*:5558\"}")
            .expect("valid");
        for (feed, key, words) in [
            (
                "{address: \"tcp://*:5557\", bind: true}",
                "kv_events.bind",
                "heard at one address",
            ),
            (
                "{address: \"tcp://10.0.0.7:5557\"}",
                "kv_events.address",
                "write `*`",
            ),
            (
                "{address: \"tcp://*:5557\", replay: \"tcp://h:5558\"}",
                "kv_events.replay",
                "write `*`",
            ),
        ] {
            let said = template(&format!("kv_events: {feed}")).expect_err(feed);
            assert!(said.contains(key) && said.contains(words), "{said}");
        }
    }

    #[test]
    fn each_endpoint_hands_over_at_its_own_host() {
        template("transfer: {connector: nixl}").expect("valid");
        let one = "transfer: {connector: sglang, bootstrap_host: 10.0.0.7}";
        let said = template(one).expect_err("one for all");
        assert!(said.contains("transfer.bootstrap_host"), "{said}");
    }

    #[test]
    fn the_management_port_is_of_the_host_that_was_seen() {
        let keys = "https: true, tls: {insecure: true}, path: /llm, kind: mindie, role: decode, \
                    transfer: {connector: mindie}, management_port: 1026, management_path: /m";
        let mindie = template(keys).expect("valid");
        let seen = Seen {
            name: "d".to_owned(),
            host: "fd00::7".to_owned(),
            port: 1025,
            labels: Default::default(),
            process: Some("p".to_owned()),
        };
        let filled = mindie.fill("pool", &seen).remove(0).settings.target;
        assert_eq!(filled.to_string(), "https://[fd00::7]:1025/llm");
        assert_eq!(filled.process(), Some("p"));
        let management = filled.management().expect("another port");
        assert_eq!(management.to_string(), "https://[fd00::7]:1026/m");
        let without = template("kind: mindie").expect("valid");
        let filled = without.fill("pool", &seen).remove(0).settings.target;
        assert!(filled.management().is_none());
        for bad in [
            "management_path: /m",
            "management_port: 9, management_path: m",
        ] {
            let said = template(bad).expect_err(bad);
            assert!(said.contains("management_path"), "{said}");
        }
    }
}
