//! Words that must not occur on the wrong side of a border.

use std::path::Path;

use anyhow::Result;

use super::verdict;
use crate::source;

/// Sources that know nothing of who asks and what it costs.
const DECIDING: [&str; 3] = [
    "gateway-core/src",
    "gateway-proto/src",
    "gateway-router/src",
];

/// Each as a run of whole words; `ApiKey`, `api_key` and `API keys` are all the run `api key`.
const GOVERNANCE: [&[&str]; 4] = [&["tenant"], &["api", "key"], &["apikey"], &["price"]];

const CLOCKS: [&[&str]; 2] = [&["instant"], &["system", "time"]];

pub(super) fn no_governance_words(root: &Path) -> Result<String> {
    scan(root, &DECIDING, &GOVERNANCE, "belongs in gateway-govern")
}

pub(super) fn no_clock_in_core(root: &Path) -> Result<String> {
    scan(
        root,
        &DECIDING[..1],
        &CLOCKS,
        "the core takes `now` as an argument",
    )
}

fn scan(root: &Path, folders: &[&str], banned: &[&[&str]], advice: &str) -> Result<String> {
    let mut crossings = Vec::new();
    let mut files = 0;
    for folder in folders {
        for path in source::rust_files(&root.join(folder))? {
            files += 1;
            let text = source::text(&path)?.unwrap_or_default();
            for (number, line) in text.lines().enumerate() {
                if let Some(found) = banned.iter().find(|run| occurs(line, run)) {
                    let place = source::shown(root, &path);
                    crossings.push(format!(
                        "{place}:{}: \"{}\" {advice}",
                        number + 1,
                        found.join(" ")
                    ));
                }
            }
        }
    }
    verdict(&crossings, format!("{files} files"))
}

/// Whether the words of `run` follow one another in `line`, a plural `s` aside.
fn occurs(line: &str, run: &[&str]) -> bool {
    words(line).windows(run.len()).any(|window| {
        window
            .iter()
            .zip(run)
            .all(|(word, wanted)| word == wanted || word.strip_suffix('s') == Some(wanted))
    })
}

/// Lower-case words: identifiers fall apart at underscores and at camel humps.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut after_lower = false;
    for letter in line.chars() {
        let hump = letter.is_ascii_uppercase() && after_lower;
        if (hump || !letter.is_ascii_alphabetic()) && !current.is_empty() {
            words.push(std::mem::take(&mut current));
        }
        if letter.is_ascii_alphabetic() {
            current.push(letter.to_ascii_lowercase());
        }
        after_lower = letter.is_ascii_lowercase();
    }
    words.push(current);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_spelling() {
        for line in [
            "struct ApiKey;",
            "let api_key = 1;",
            "// API keys",
            "x-api-key",
            "apikey",
            "APIKEYS",
        ] {
            assert!(GOVERNANCE.iter().any(|run| occurs(line, run)), "{line}");
        }
        assert!(occurs("fn tenants()", &["tenant"]));
        assert!(occurs("SystemTime::now()", &["system", "time"]));
    }

    #[test]
    fn leaves_other_words_alone() {
        for line in [
            "enterprise",
            "lieutenant",
            "the api is keyed",
            "rapid keys",
            "priced",
        ] {
            assert!(!GOVERNANCE.iter().any(|run| occurs(line, run)), "{line}");
        }
        assert!(!occurs("instantly", &["instant"]));
    }
}
