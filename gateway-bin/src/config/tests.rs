use std::path::Path;

use gateway_router::AdmissionSettings;

use super::{Config, Environment, read};

/// A secret, found as `${LONG}`.
const SECRET: &str = "sk-4711-4711-4711";

fn environment() -> Environment {
    let values = [("HOST", "10.0.0.1"), ("LONG", SECRET)];
    Environment::Fixed(values.map(|(k, v)| (k.into(), v.into())).into())
}

fn config(text: &str) -> Result<Config, String> {
    read(text, Path::new("gateway.yaml"), &environment()).map_err(|error| error.to_string())
}

/// What is said about `text`.
fn said(text: &str) -> String {
    config(text).expect_err("must be refused")
}

const HASH: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn the_sample_is_valid() {
    let text = include_str!("../../../examples/gateway.yaml");
    let config = config(text).expect("the sample");
    assert!(!config.keys.is_empty() && !config.endpoints.is_empty());
}

#[test]
fn an_empty_file_is_the_defaults() {
    for text in ["", "# nothing\n", "{}"] {
        let config = config(text).expect("defaults");
        assert_eq!(config.listen, ([127, 0, 0, 1], 8080).into());
        assert!(config.keys.is_empty());
        assert_eq!(
            config.router.deadlines,
            gateway_router::Deadlines::default()
        );
    }
}

#[test]
fn values_arrive() {
    let text = format!(
        "listen: \"[::1]:9\"\nkeys: [{{name: k, hash: \"{HASH}\", expires: 2030-01-01T00:00:00Z, explain: true}}]\n\
         endpoints:\n  - {{name: a, url: \"http://${{HOST}}:1\", kind: sglang, models: [m], labels: {{chip: h100}}, \
         prompt_range: [1, 9], credential: \"${{LONG}}\"}}\n  - {{name: b, url: \"http://b:1\"}}\n\
         deadlines: {{idle: 250ms, total: 1m 30s}}\ndrain: {{delay: 0s}}\nthreads: 3\n"
    );
    let config = config(&text).expect("valid");
    assert_eq!(
        (config.listen.to_string().as_str(), config.threads),
        ("[::1]:9", 3)
    );
    let [a, b] = &config.endpoints[..] else {
        panic!("two endpoints")
    };
    assert_eq!(a.settings.target.to_string(), "http://10.0.0.1:1");
    assert_eq!(a.settings.spec.labels["chip"], "h100");
    assert_eq!(a.settings.spec.prompt_range, Some((1, 9)));
    assert!(!a.discovery.is_needed() && b.discovery.kind && b.discovery.models);
    assert_eq!(config.router.deadlines.idle.as_millis(), 250);
    assert_eq!(config.router.deadlines.total.as_secs(), 90);
}

#[test]
fn hardware_and_goals_arrive() {
    let text = "objectives: {ttft: 2s, tpot: 40ms}\npriority: -5\nstate: {file: learned.json}\n\
                models: [{name: m, priority: 100, objectives: {deadline: 1s}}]\nendpoints:\n\
                \x20 - {name: a, url: \"http://a:1\", models: [m], hardware: {chip: l40s, chips: 2, hbm_gbs: 1500, kv_tokens: 9}}\n\
                \x20 - {name: b, url: \"http://b:1\", hardware: {chip: 910b}}\n";
    let config = config(text).expect("valid");
    let of = |at: usize| &config.endpoints[at].settings.spec.hardware;
    assert_eq!(of(0).class.as_deref(), Some("l40sx2"));
    assert_eq!((of(0).tflops, of(0).hbm_gbs), (Some(724.0), Some(1500.0)));
    assert_eq!((of(0).kv_tokens, of(1).tflops), (Some(9), Some(313.0)));
    let goal = config.router.goals.of("m", gateway_router::Goal::default());
    assert_eq!(goal.priority, Some(100));
    let objectives = goal.objectives;
    assert_eq!(
        (
            objectives.ttft_ms,
            objectives.tpot_ms,
            objectives.deadline_ms
        ),
        (Some(2_000.0), Some(40.0), Some(1_000.0))
    );
    let other = config
        .router
        .goals
        .of("other", gateway_router::Goal::default());
    assert_eq!(
        (other.priority, other.objectives.deadline_ms),
        (Some(-5), None)
    );
    assert_eq!(
        config.state_file.as_deref(),
        Some(Path::new("learned.json"))
    );
}

#[test]
fn a_preset_brings_its_scorers_and_leaves_the_rest_open() {
    let text = "pipeline: {preset: lmetric, picker: random, split: {above_uncached_tokens: 2000}}\n\
                models:\n  - name: m\n    pipeline:\n      prefill: {preset: predicted-ttft}\n      split: never\n\
                endpoints: [{name: a, url: 'http://127.0.0.1:9'}]\n";
    let config = config(text).expect("valid");
    let of = |model: &str, stage| format!("{:?}", config.router.pipelines.of(model, stage));
    assert!(of("other", gateway_core::Stage::Unified).contains("lmetric"));
    assert!(of("other", gateway_core::Stage::Decode).contains("random"));
    assert!(of("m", gateway_core::Stage::Prefill).contains("predicted-ttft"));
    assert!(said("pipeline: {preset: lmetrc}\n").contains("known: cache-aware"));
    assert!(said("pipeline: {preset: lmetric, scorers: [latency]}\n").contains("its own scorers"));
    assert!(said("pipeline: {split: sometimes}\n").contains("split"));
}

#[test]
fn pipelines_may_be_plain_or_staged() {
    let text = "pipeline: {scorers: [{name: least-requests, weight: 2}]}\n\
                models:\n  - name: m\n    pipeline:\n      prefill: {picker: best}\n      decode: {filters: [healthy]}\n\
                endpoints: [{name: a, url: \"http://a:1\", models: [m]}]\n";
    let config = config(text).expect("valid");
    let of = |model: &str, stage| format!("{:?}", config.router.pipelines.of(model, stage));
    let plain = of("other", gateway_core::Stage::Unified);
    assert!(
        plain.contains("least-requests")
            && !plain.contains("kv-headroom")
            && plain.contains("healthy"),
        "{plain}"
    );
    assert!(!of("m", gateway_core::Stage::Decode).contains("serves-model"));
}

#[test]
fn mistakes_name_file_line_and_what_is_known() {
    let cases = [
        "listn: 127.0.0.1:1\n",
        "listen: localhost\n",
        "listen: 8080\n",
        "endpoints:\n  - name: a\n    url: http://a:1\n    knd: vllm\n",
        "endpoints:\n  - name: a\n    url: http://a:1\n    kind: vlm\n",
        "endpoints:\n  - name: a\n",
        "endpoints:\n  - name: a\n    url: ftp://a:1\n",
        "endpoints:\n  - {name: a, url: \"http://a:1\"}\n  - {name: a, url: \"http://b:1\"}\n",
        "endpoints:\n  - {name: a, url: \"http://a:1\", prompt_range: [9, 1]}\n",
        "endpoints:\n  - {name: a, url: \"http://a:1\", models: []}\n",
        "models: [{name: x}]\nendpoints: [{name: a, url: \"http://a:1\", models: [m]}]\n",
        "models:\n  - name: m\n    pipeline:\n      filters:\n        - healthy\n        - helthy\n",
        "pipeline:\n  scorers:\n    - least-requests\n    - {name: prefix-afinity, weight: 2}\n",
        "pipeline:\n  prefill:\n    picker: bst\n",
        "pipeline:\n  picker: best\n  decode: {}\n",
        "pipeline:\n  scorers:\n    - {name: least-requests, wieght: 2}\n",
        "pipeline:\n  scorers:\n    - {name: least-requests, weight: -1}\n",
        "pipeline:\n  scorers:\n    - {weight: 1}\n",
        "endpoints:\n  - {name: a, url: \"http://a:1\", hardware: {chip: h1000}}\n",
        "endpoints:\n  - {name: a, url: \"http://a:1\", hardware: {chips: 2}}\n",
        "endpoints:\n  - {name: a, url: \"http://a:1\", hardware: {tflops: -1}}\n",
        "endpoints:\n  - name: a\n    url: http://a:1\n    hardware: {costs: {prefill_base_ms: 1}}\n",
        "priority: 101\n",
        "models: [{name: m, priority: -101}]\nendpoints: [{name: a, url: \"http://a:1\"}]\n",
        "objectives: {ttft: 0s}\n",
        "deadlines:\n  total: 5 parsecs\n",
        "deadlines:\n  total: 0s\n",
        "deadlines: {total: 10}\n",
        "retry: {attempts: 0}\n",
        "keys:\n  - {name: a, hash: \"sha256:12\"}\n",
        "endpoints:\n  - name: a\n    url: http://a:1\n    credential: ${NOT_SET}\n",
        "limits:\n  header_bytes: 100\n",
        "log: {level: \"gateway=loud\"}\n",
        "log:\n  format: xml\n",
        "a: 1\na: 2\n",
        "listen: [1\n",
        "endpoints: {}\n",
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|text| format!("{text}=> {}\n", said(text)))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn bounds_in_the_wrong_order_and_endless_times_are_refused() {
    let order = said("health:\n  open_for: 60s\n");
    assert!(
        order.contains("health.open_at_most: must not be less than open_for"),
        "{order}"
    );
    config("health: {open_for: 60s, open_at_most: 60s}\n").expect("in order");
    let order = said("telemetry: {stale_after: 9s, forget_after: 8s}\n");
    assert!(order.contains("telemetry.forget_after: must not be less than stale_after"));
    let endless = said("deadlines: {total: 2000000h}\n");
    assert!(endless.contains("more than a hundred years"), "{endless}");
}

#[test]
fn answers_are_taken_up_of_all_models_or_of_one() {
    let covers = |text: &str, model: &str| {
        let config = config(text).expect("valid");
        config.router.migration.covers(model)
    };
    assert!(covers("", "m"));
    let one_off = "models: [{name: m, migration: false}, {name: o}]\n\
                   endpoints: [{name: a, url: \"http://a:1\", kind: vllm, models: [m, o]}]\n";
    assert!(!covers(one_off, "m") && covers(one_off, "o"));
    let all_off = format!("migration: {{enabled: false}}\n{one_off}");
    assert!(!covers(&all_off, "o"));
    let one_on = all_off.replace("migration: false", "migration: true");
    assert!(covers(&one_on, "m") && !covers(&one_on, "o"));
    let told = said("migration: {budget_ratio: -1}\n");
    assert!(told.contains("migration.budget_ratio"), "{told}");
}

#[test]
fn no_error_repeats_a_secret() {
    let endpoint = |credential: &str| {
        format!("endpoints: [{{name: a, url: \"http://a:1\", credential: {credential}}}]\n")
    };
    let key = |hash: &str| format!("keys: [{{name: a, hash: {hash}}}]\n");
    let values = [
        "[sk-4711]",
        "{sk-4711: 1}",
        "471147114711",
        "4711.4711",
        "\"sk-4711\\n\"",
        "\"sk-\\u00014711\"",
        "*sk-4711",
        "@sk-4711",
        "!sk-4711 x",
        "\"sk-4711",
        "sk-4711: x",
    ];
    let misplaced = [
        "keys: sk-4711\n",
        "keys: [sk-4711]\n",
        "keys: {sk-4711: a}\n",
        "endpoints: [sk-4711]\n",
        "endpoints: [{name: a, url: \"http://user:sk-4711@a:1\"}]\n",
        "endpoints: [{name: a, url: \"https://sk-4711@a:1\"}]\n",
        "keys: [{name: a, hash: \"sha256:sk-4711\"}]\n",
        "keys: [{name: a, hash: \"${LONG}\"}]\n",
    ];
    let refused = values.map(key).into_iter();
    for text in refused.chain(misplaced.map(str::to_owned)) {
        let told = said(&text);
        assert!(!told.contains("4711"), "{text}=> {told}");
    }
    // Some of these are good credentials.
    for text in values.map(endpoint) {
        let told = config(&text).err().unwrap_or_default();
        assert!(!told.contains("4711"), "{text}=> {told}");
    }
}

#[test]
fn nothing_shows_a_secret_by_debug() {
    let text = format!(
        "keys: [{{name: k, hash: \"{HASH}\"}}]\nendpoints: [{{name: a, url: \"http://a:1\", credential: \"${{LONG}}\"}}]\n"
    );
    let config = config(&text).expect("valid");
    let from = crate::ReloadFrom {
        path: "gateway.yaml".into(),
        text: format!("credential: {SECRET}"),
        listen: None,
    };
    let shown = format!("{config:?} {from:?} {:?}", environment());
    for secret in [SECRET, &HASH["sha256:".len()..], "186, 120, 22, 191"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("LONG") && shown.contains("gateway.yaml"));
}

#[test]
fn twin_keys_are_refused_at_their_line() {
    let text =
        format!("keys:\n  - {{name: a, hash: \"{HASH}\"}}\n  - {{name: b, hash: \"{HASH}\"}}\n");
    assert_eq!(
        said(&text),
        "gateway.yaml:3:5: keys[1]: keys `a` and `b` have the same hash"
    );
}

#[test]
fn deep_and_huge_files_are_refused() {
    let deep = format!("pipeline: {}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(said(&deep).starts_with("gateway.yaml"), "{}", said(&deep));
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n\
                d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]\n";
    assert!(config(bomb).is_err());
}

#[test]
fn admission_is_on_unless_switched_off_and_its_classes_are_checked() {
    let of = |text: &str| config(text).expect("valid").router.admission;
    assert_eq!(of(""), Some(AdmissionSettings::default()));
    assert_eq!(of("admission: {enabled: false}\n"), None);
    let told = of(
        "admission:\n  wait_at_engine: 0s\n  requests_at_engine: 8\n  requests: 10\n  \
                   classes: [{name: all, from: 0, share: 1, wait_at_most: 2s}]\n",
    );
    let told = told.expect("on");
    assert_eq!((told.room.wait.as_secs(), told.room.requests), (0, Some(8)));
    let class = &told.policy.classes()[0];
    assert_eq!((class.requests, class.wait_at_most.as_secs()), (10, 2));
    let twice = "admission:\n  classes: [{name: a, from: 0}, {name: b, from: 0}]\n";
    let said = said(twice);
    assert!(
        said.contains("admission.classes") && said.contains("\"b\""),
        "{said}"
    );
}

#[test]
fn the_schema_documents_every_key() {
    let schema = super::file::schema();
    let mut bare = Vec::new();
    undocumented(&schema, "", &mut bare);
    assert!(bare.is_empty(), "without description: {bare:?}");
    assert!(
        schema["definitions"]["PluginFile"]["description"]
            .as_str()
            .expect("text")
            .contains("least-requests")
    );
}

#[test]
fn the_guide_lists_every_key() {
    let guide = include_str!("../../../docs/configuration.md");
    let schema = super::file::schema();
    let sections = schema["definitions"]
        .as_object()
        .expect("sections")
        .values()
        .chain([&schema]);
    let keys = sections
        .filter_map(|section| section["properties"].as_object())
        .flat_map(|keys| keys.keys());
    let missing: Vec<_> = keys
        .filter(|key| !guide.contains(&format!("| `{key}` |")))
        .collect();
    assert!(
        missing.is_empty(),
        "not in docs/configuration.md: {missing:?}"
    );
}

fn undocumented(node: &serde_json::Value, path: &str, bare: &mut Vec<String>) {
    if let Some(properties) = node.get("properties").and_then(|value| value.as_object()) {
        let missing = properties
            .iter()
            .filter(|(_, schema)| schema.get("description").is_none());
        bare.extend(missing.map(|(key, _)| format!("{path}.{key}")));
    }
    match node {
        serde_json::Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| undocumented(value, &format!("{path}.{key}"), bare)),
        serde_json::Value::Array(items) => items
            .iter()
            .for_each(|value| undocumented(value, path, bare)),
        _ => {}
    }
}
