//! The repository must mean the same on every machine: no local paths, no private registries.

use std::path::Path;

use anyhow::Result;

use super::verdict;
use crate::source;

/// Text that names a place outside the repository. In two halves, so that this file passes its own check.
const ELSEWHERE: [(&str, &str); 12] = [
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("/home/", "user"),
    ("/Us", "ers/"),
    ("../sha", "red"),
    ("arti", "factory"),
    ("index-", "url"),
    ("pypi", ".org"),
    ("python", "hosted.org"),
    ("npm", "js.org"),
    ("index.", "crates.io"),
    ("static.", "crates.io"),
];

/// The only place a locked dependency may come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(root: &Path) -> Result<String> {
    let mut crossings = Vec::new();
    let mut files = 0;
    for path in source::files(root)? {
        let Some(text) = source::text(&path)? else {
            continue;
        };
        files += 1;
        let shown = source::shown(root, &path);
        let locks = path.file_name().is_some_and(|name| name == "Cargo.lock");
        for (number, line) in text.lines().enumerate() {
            let found = if locks {
                foreign_source(line)
            } else {
                elsewhere(line)
            };
            crossings.extend(found.map(|what| format!("{shown}:{}: {what}", number + 1)));
        }
    }
    verdict(&crossings, format!("{files} files"))
}

fn elsewhere(line: &str) -> Option<String> {
    let lower = line.to_ascii_lowercase();
    ELSEWHERE
        .iter()
        .map(|(head, tail)| format!("{head}{tail}"))
        .find(|place| match lower.find(&place.to_ascii_lowercase()) {
            // A path from the root is a place; after a letter it is part of a longer route.
            Some(at) if place.starts_with('/') => {
                !lower[..at].ends_with(|c: char| c.is_ascii_alphanumeric())
            }
            found => found.is_some(),
        })
        .map(|place| format!("names {place}"))
}

fn foreign_source(line: &str) -> Option<String> {
    let source = line.strip_prefix("source = ")?.trim_matches('"');
    (source != REGISTRY).then(|| format!("locks a package from {source}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_places_are_found_and_routes_are_not() {
        let local = format!("see /wo{}", "rk/notes");
        assert!(elsewhere(&local).is_some());
        let route = format!("GET /v1/wo{}", "rk/notes");
        assert_eq!(elsewhere(&format!("x{}", &local[4..])), None);
        assert_eq!(elsewhere("plain text"), None);
        assert!(elsewhere(&route).is_none());
    }

    #[test]
    fn only_the_public_registry_is_locked() {
        assert_eq!(foreign_source(&format!("source = \"{REGISTRY}\"")), None);
        assert!(foreign_source("source = \"registry+https://crates.example.net/index\"").is_some());
        assert_eq!(foreign_source("name = \"bytes\""), None);
    }
}
