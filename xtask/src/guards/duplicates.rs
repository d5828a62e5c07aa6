//! Dependencies that are built in more than one version.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use super::verdict;
use crate::cmd;

/// Known duplicates that the workspace cannot mend itself, each with who asks for the older one.
const ALLOWED: [(&str, &str); 8] = [
    ("base64", "spm_precompiled 0.1, which tokenizers 0.23 needs"),
    (
        "fallible-iterator",
        "postgres-protocol 0.6; rusqlite 0.41 is ahead",
    ),
    ("fancy-regex", "tokenizers 0.23"),
    ("getrandom", "rand 0.9, which tokenizers 0.23 needs"),
    ("itertools", "criterion 0.8"),
    ("rand", "tokenizers 0.23"),
    ("rand_core", "rand 0.9, which tokenizers 0.23 needs"),
    ("syn", "tracing-attributes 0.1 builds on syn 2"),
];

pub(super) fn check(root: &Path) -> Result<String> {
    let text = cmd::capture(cmd::cargo(root).args([
        "tree",
        "--workspace",
        "--duplicates",
        "--edges",
        "normal",
        "--depth",
        "0",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    let doubled = versions(&text);
    let mut crossings = Vec::new();
    for (name, versions) in &doubled {
        if !ALLOWED.iter().any(|(allowed, _)| allowed == name) {
            crossings.push(format!(
                "{name} {versions:?}: use one version, or allow it here with the reason"
            ));
        }
    }
    for (name, _) in ALLOWED {
        if !doubled.contains_key(name) {
            crossings.push(format!("{name} is allowed twice and no longer needs to be"));
        }
    }
    verdict(
        &crossings,
        format!("{} in more than one version: {doubled:?}", doubled.len()),
    )
}

/// Packages of a `cargo tree --duplicates` listing that have several versions, not only several feature sets.
fn versions(text: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name).or_default().insert(version);
        }
    }
    versions.retain(|_, found| found.len() > 1);
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_version_twice_is_no_duplicate() {
        let found = versions("a v1.0.0\n\na v1.0.0\n\nb v1.0.0\n\nb v2.0.0 (*)\n");
        assert_eq!(found.len(), 1);
        assert_eq!(found["b"].len(), 2);
    }
}
