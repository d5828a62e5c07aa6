//! Chat templates of many model families, rendered here and by `transformers`, must agree to the byte.
//!
//! The templates come with the source archive of a Python package and are fetched once; `reference.py` renders
//! the same cases with `transformers` itself. `docs/template-parity.md` is written by
//! `cargo test -p gateway-proto --features text --test template_parity -- --ignored`.
#![allow(
    clippy::unwrap_used,
    reason = "a test that lacks what it needs has failed"
)]

mod corpus;
mod reference;
mod report;

use std::fs;
use std::path::Path;

use gateway_proto::text::template::{LocalTime, Template, TemplateError};

use corpus::Case;
use reference::{Outcome, Reference};
use report::Row;

/// 2024-02-29 13:05:09, as in `reference.py`.
const NOW: i64 = 1_709_211_909;

#[test]
fn all_templates_render_as_in_transformers() {
    let rows = compare();
    assert!(rows.len() >= 60, "only {} templates", rows.len());
    let differences: Vec<&str> = rows
        .iter()
        .flat_map(|row| row.differences.iter().map(String::as_str))
        .collect();
    assert!(
        differences.is_empty(),
        "{} differences\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[test]
#[ignore = "writes docs/template-parity.md"]
fn write_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/template-parity.md");
    fs::write(path, report::table(&compare())).unwrap();
}

fn compare() -> Vec<Row> {
    let cases = corpus::cases();
    let reference = Reference::run();
    let templates = reference.templates();
    templates
        .map(|(name, source)| compare_one(&reference, name, &source, &cases))
        .collect()
}

fn compare_one(reference: &Reference, name: &str, source: &str, cases: &[Case]) -> Row {
    let template = Template::compile(source, corpus::tokens());
    let template = template.unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut row = Row::new(name);
    if let Some(difference) = reference.shape_difference(name, template.facts()) {
        row.differences.push(format!("{name}: {difference}"));
    }
    for case in cases {
        let expected = reference.outcome(name, &case.name);
        let prompt = template.render(&case.request, LocalTime::from_unix(NOW, 0));
        row.count(&expected);
        if !agrees(&expected, &prompt) {
            let shown = report::first_difference(&expected, &prompt);
            row.differences
                .push(format!("{name}, {}: {shown}", case.name));
        }
    }
    row
}

/// What a template raises must come out word for word; that it fails otherwise must be seen on both sides.
fn agrees(expected: &Outcome, prompt: &Result<String, TemplateError>) -> bool {
    match (expected, prompt) {
        (Outcome::Prompt(expected), Ok(prompt)) => expected == prompt,
        (Outcome::Raised(expected), Err(TemplateError::Raised(said))) => expected == said,
        (Outcome::Failed(_), Err(error)) => !matches!(error, TemplateError::Raised(_)),
        _ => false,
    }
}
