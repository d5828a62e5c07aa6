//! What the endpoints of a source have in common.

use gateway_router::{Target, feed::KvEvents};

use super::{cx::Cx, endpoints};
use crate::config::{
    ConfigError, Template,
    file::{Engine, TemplateFile},
    yaml::Path,
};

pub(super) fn lower(file: TemplateFile, path: &Path, cx: &Cx<'_>) -> Result<Template, ConfigError> {
    let path = path.key("endpoint");
    check_feed(&file.kv_events.0, &path.key("kv_events"), cx)?;
    let scheme = if file.https { "https" } else { "http" };
    let nowhere = Target::parse(&format!("{scheme}://endpoint{}", file.path));
    let is_path = file.path.is_empty() || file.path.starts_with('/');
    let nowhere = nowhere.ok().filter(|_| is_path);
    let nowhere =
        nowhere.ok_or_else(|| cx.invalid(&path.key("path"), "must begin with a slash"))?;
    let file = file.endpoint("endpoint".to_owned(), Engine(nowhere));
    let endpoints = endpoints::one(file, &path, cx)?;
    Ok(Template { endpoints })
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
}
