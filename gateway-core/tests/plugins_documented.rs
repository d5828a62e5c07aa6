//! `docs/plugins.md` lists every built-in plug-in, and its examples are real.

use std::collections::BTreeMap;

use gateway_core::{PipelineSpec, PluginSpec, Registry, pipeline::presets};

const PAGE: &str = include_str!("../../docs/plugins.md");

const KINDS: [(&str, &str); 3] = [
    ("filter", "## Filters"),
    ("scorer", "## Scorers"),
    ("picker", "## Pickers"),
];

/// Plug-ins that cannot do without parameters.
const NEEDS_PARAMETERS: [&str; 1] = ["label-preference"];

/// The part of the page below a heading of this level, by heading.
fn sections<'p>(text: &'p str, level: &str) -> BTreeMap<&'p str, &'p str> {
    text.split(level)
        .skip(1)
        .filter_map(|section| section.split_once('\n'))
        .map(|(title, body)| (title.trim().trim_matches('`'), body))
        .collect()
}

fn examples(text: &str) -> Vec<PipelineSpec> {
    text.split("```yaml\n")
        .skip(1)
        .filter_map(|fenced| fenced.split_once("```"))
        .map(|(yaml, _)| {
            serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
        })
        .collect()
}

fn plugins<'s>(kind: &str, spec: &'s PipelineSpec) -> Vec<&'s PluginSpec> {
    match kind {
        "filter" => spec.filters.iter().collect(),
        "scorer" => spec.scorers.iter().collect(),
        _ => vec![&spec.picker],
    }
}

#[test]
fn every_plugin_has_a_row_a_section_and_an_example_that_uses_it() {
    let registry = Registry::builtin();
    for ((kind, heading), names) in KINDS.into_iter().zip(registry.names()) {
        let part = PAGE
            .split(heading)
            .nth(1)
            .and_then(|rest| rest.split("\n## ").next())
            .expect(heading);
        let sections = sections(part, "\n### ");
        assert_eq!(
            sections.keys().copied().collect::<Vec<_>>(),
            names,
            "sections of {kind}s"
        );
        for (name, text) in sections {
            assert!(
                PAGE.contains(&format!("| [`{name}`](#{name}) | {kind} |")),
                "no row for {name}"
            );
            let used = examples(text)
                .iter()
                .any(|spec| plugins(kind, spec).iter().any(|used| used.name == name));
            assert!(used, "no example uses {name}");
        }
    }
}

#[test]
fn every_example_builds() {
    let registry = Registry::builtin();
    let examples = examples(PAGE);
    assert!(examples.len() > 20, "the page has lost its examples");
    for spec in &examples {
        registry
            .build(spec)
            .unwrap_or_else(|error| panic!("{error} in {spec:?}"));
    }
    assert_eq!(
        examples[0],
        PipelineSpec::default(),
        "the default as the page writes it"
    );
}

#[test]
fn every_preset_has_its_row_and_no_row_is_left_over() {
    let part = PAGE.split("\n## Presets\n").nth(1).expect("a section");
    let part = part.split("\n## ").next().expect("a section");
    let listed = part.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: Vec<_> = listed.map(|line| line.replace('×', "x")).collect();
    let rows = presets().map(|preset| {
        let (name, summary, reference) = (preset.name, preset.summary, preset.reference);
        format!("{name}` | {summary} | {reference} |")
    });
    assert_eq!(listed, rows.collect::<Vec<_>>());
}

/// A pipeline of this one plug-in.
fn alone(kind: &str, plugin: PluginSpec) -> PipelineSpec {
    let mut spec = PipelineSpec {
        filters: vec![],
        scorers: vec![],
        picker: PluginSpec::new("best"),
    };
    match kind {
        "filter" => spec.filters.push(plugin),
        "scorer" => spec.scorers.push(plugin),
        _ => spec.picker = plugin,
    }
    spec
}

#[test]
fn every_plugin_builds_without_parameters_unless_it_says_what_it_needs() {
    let registry = Registry::builtin();
    for ((kind, _), names) in KINDS.into_iter().zip(registry.names()) {
        for name in names {
            let built = registry.build(&alone(kind, PluginSpec::new(name)));
            assert_eq!(
                built.is_err(),
                NEEDS_PARAMETERS.contains(&name),
                "{kind} {name}: {built:?}"
            );
        }
    }
}

#[test]
fn every_plugin_refuses_a_parameter_it_does_not_have() {
    let registry = Registry::builtin();
    for ((kind, _), names) in KINDS.into_iter().zip(registry.names()) {
        for name in names {
            let misspelt = PluginSpec::new(name).param("no_such_key", 1);
            let refusal = registry
                .build(&alone(kind, misspelt))
                .expect_err(name)
                .to_string();
            assert!(refusal.contains("no_such_key"), "{refusal}");
        }
    }
}
