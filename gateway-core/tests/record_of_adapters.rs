//! What the record of a decision says of LoRA adapters and of where endpoints come from.

use gateway_core::{
    EndpointSpec, Explanation, Fleet, Pipeline, Rng, RouteCx, Timestamp, load::AdapterUse,
};
use serde_json::{Value, json};

/// Three that have the adapter, one of them running it and one full, and one that could load it.
fn fleet() -> Fleet {
    let names = ["runs", "loaded", "full"];
    let specs = names.map(|name| EndpointSpec::new(name).model("m").adapter("sql"));
    let room = EndpointSpec::new("room").model("m").loadable("sql");
    let mut specs: Vec<_> = specs.into_iter().chain([room]).collect();
    specs[0].source = Some("rack".to_owned());
    Fleet::new(specs).expect("names differ")
}

fn runs(fleet: &Fleet, endpoint: &str, names: &[&str]) {
    let usage = AdapterUse {
        slots: Some(1),
        running: names.iter().map(|name| (*name).to_owned()).collect(),
        ..AdapterUse::default()
    };
    let endpoint = fleet.by_name(endpoint).expect("listed");
    endpoint.state().adapters().used(Some(usage));
}

fn decided(fleet: &Fleet) -> Value {
    let cx = RouteCx::new("sql", Timestamp::ZERO).adapter("sql");
    let (_, record): (_, Explanation) =
        Pipeline::default().place_explained(fleet, &cx, &mut Rng::from_seed(1));
    serde_json::to_value(record).expect("plain data")
}

#[test]
fn it_says_who_runs_the_adapter_who_has_it_and_who_is_full() {
    let fleet = fleet();
    runs(&fleet, "runs", &["sql"]);
    runs(&fleet, "full", &["law"]);
    let record = decided(&fleet);
    assert_eq!(record["adapter"], "sql");
    let there: Vec<_> = record["candidates"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    let there: Vec<_> = there
        .iter()
        .map(|one| (&one["endpoint"], &one["adapter"], &one["source"]))
        .collect();
    let (none, text) = (Value::Null, |text: &str| json!(text));
    let expected = [
        (&text("runs"), &text("running"), &text("rack")),
        (&text("loaded"), &text("loaded"), &none),
    ];
    assert_eq!(there, expected);
    let filtered = json!([
        {"endpoint": "full", "by": "adapter-room"},
        {"endpoint": "room", "by": "serves-adapter"},
    ]);
    assert_eq!(record["filtered"], filtered);
}

#[test]
fn where_all_who_have_it_are_full_it_is_to_be_loaded_by_one_with_a_place() {
    let fleet = fleet();
    for name in ["runs", "loaded", "full"] {
        runs(&fleet, name, &["law"]);
    }
    let record = decided(&fleet);
    assert_eq!(
        (&record["chosen"], &record["candidates"][0]["adapter"]),
        (&json!("room"), &json!("to_load"))
    );
    runs(&fleet, "room", &["law"]);
    let record = decided(&fleet);
    let skipped: Vec<_> = record["skipped"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    assert_eq!(
        skipped,
        [&json!("adapter-room")],
        "full everywhere, so whoever has it"
    );
    assert_ne!(record["chosen"], "room");
}

#[test]
fn whoever_drains_is_said_to() {
    let fleet = fleet();
    fleet
        .by_name("runs")
        .expect("listed")
        .state()
        .set_draining(true);
    let out = json!({"endpoint": "runs", "by": "healthy", "availability": "draining"});
    assert_eq!(decided(&fleet)["filtered"][0], out);
}
