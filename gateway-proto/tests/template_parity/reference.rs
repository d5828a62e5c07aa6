//! What `transformers` makes of templates and cases.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gateway_proto::text::template::TemplateFacts;
use serde::Deserialize;

use crate::corpus::CASES;

/// The archive that carries the templates, and its hash.
const ARCHIVE: (&str, &str, &str) = (
    "llama-cpp-python",
    "0.3.36",
    "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e",
);
/// Where they are kept.
const FOLDER: &str = "chat-templates-0-3-36";

/// How one rendering ended.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// A prompt came out.
    Prompt(String),
    /// The template raised.
    Raised(String),
    /// Anything else went wrong.
    Failed(String),
}

#[derive(Deserialize)]
struct Answers {
    shape: Shape,
    outcomes: BTreeMap<String, Outcome>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Shape {
    text_as_parts: bool,
    parts_as_text: bool,
    arguments_as_text: bool,
    null_as_empty: bool,
}

/// All outcomes.
pub(crate) struct Reference {
    folder: PathBuf,
    answers: BTreeMap<String, Answers>,
}

impl Reference {
    pub(crate) fn run() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/template_parity");
        let python = testkit::pip_venv("template-parity", &here.join("requirements.txt"));
        let folder = testkit::cache_root().join(FOLDER);
        let (name, version, hash) = ARCHIVE;
        run(Command::new(&python)
            .arg(here.join("fetch.py"))
            .arg(&folder)
            .args([name, version, hash]));
        let printed = run(Command::new(&python)
            .arg(here.join("reference.py"))
            .args([folder.as_path(), Path::new(CASES)]));
        Self {
            folder,
            answers: serde_json::from_slice(&printed).unwrap(),
        }
    }

    /// Names and sources.
    pub(crate) fn templates(&self) -> impl Iterator<Item = (&str, String)> {
        self.answers.keys().map(|name| {
            let source = fs::read_to_string(self.folder.join(name)).unwrap();
            (name.as_str(), source)
        })
    }

    pub(crate) fn outcome(&self, template: &str, case: &str) -> Outcome {
        self.answers[template].outcomes[case].clone()
    }

    /// Both sides must have learnt the same of a template.
    pub(crate) fn shape_difference(&self, template: &str, facts: &TemplateFacts) -> Option<String> {
        let expected = &self.answers[template].shape;
        let found = Shape {
            text_as_parts: !facts.takes_text && facts.takes_parts,
            parts_as_text: facts.takes_text && !facts.takes_parts,
            arguments_as_text: facts.arguments_as_text,
            null_as_empty: facts.null_as_empty,
        };
        (found != *expected).then(|| format!("{expected:?} was learnt as {found:?}"))
    }
}

/// What a command printed.
fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output.stdout
}
