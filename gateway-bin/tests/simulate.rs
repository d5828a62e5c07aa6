//! `gateway simulate` as a process of its own.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

fn simulate(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gateway"))
        .current_dir(folder)
        .arg("simulate")
        .args(args)
        .output()
        .expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// Why it was refused; nothing is printed and the code says so.
fn refused(folder: &Path, args: &[&str]) -> String {
    let output = simulate(folder, args);
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    assert!(output.stdout.is_empty(), "{args:?}");
    text(&output.stderr)
}

#[test]
fn a_preset_gives_a_table_json_and_a_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let args = [
        "--preset",
        "groups",
        "--requests",
        "400",
        "--seeds",
        "2",
        "--policy",
        "default",
        "--policy",
        "round-robin",
        "--json",
        "out.json",
        "--html",
        "out.html",
    ];
    let output = simulate(folder.path(), &args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(output.stderr.is_empty(), "no bar without a terminal");
    let table = text(&output.stdout);
    assert!(
        table.contains("\ndefault ") && table.contains("\nround-robin "),
        "{table}"
    );

    let json = fs::read_to_string(folder.path().join("out.json")).expect("written");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let [default, turns] = &json["policies"].as_array().expect("a list")[..] else {
        panic!("two policies");
    };
    assert_eq!(json["workload"]["requests"], 400);
    assert_eq!(turns["seeds"].as_array().expect("a list").len(), 2);
    let hits = |policy: &Value| policy["mean"]["hit_rate"].as_f64().expect("a share");
    assert!(hits(default) > hits(turns), "affinity finds more");
    let html = fs::read_to_string(folder.path().join("out.html")).expect("written");
    assert!(html.contains("round-robin") && html.ends_with("</html>\n"));

    let again = simulate(folder.path(), &args);
    assert_eq!(text(&again.stdout), table, "equal inputs, equal numbers");
}

#[test]
fn a_listed_preset_is_a_scenario_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let listed = simulate(folder.path(), &["--list", "--json", "list.json"]);
    assert!(listed.status.success(), "{}", text(&listed.stderr));
    let list = fs::read_to_string(path("list.json")).expect("written");
    let list: Value = serde_json::from_str(&list).expect("JSON");
    let presets = list["presets"].as_array().expect("a list");
    for set in ["tuning", "reported"] {
        let of_set = presets.iter().filter(|preset| preset["set"] == set);
        assert!(of_set.count() >= 12, "{set}");
    }
    let short = ["--requests", "50", "--seeds", "1", "--policy", "lmetric"];
    let played = |source: [&str; 2]| {
        let output = simulate(folder.path(), &[&source[..], &short].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    for name in ["slow-node-b", "split-mixed"] {
        let mut of_name = presets.iter();
        let preset = of_name.find(|preset| preset["scenario"]["name"] == name);
        let scenario = &preset.expect("it is listed")["scenario"];
        fs::write(path("one.json"), scenario.to_string()).expect("written");
        let from_file = played(["--scenario", "one.json"]);
        assert_eq!(from_file, played(["--preset", name]));
    }
}

#[test]
fn a_scenario_file_brings_fleet_trace_and_policies() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = "TIMESTAMP,ContextTokens,GeneratedTokens\n\
        2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:47.5000000,879,55\n";
    fs::write(folder.path().join("trace.csv"), trace).expect("written");
    let mine = "pipeline: { picker: random }\n";
    fs::write(folder.path().join("mine.yaml"), mine).expect("written");
    let scenario = "
fleet: { engines: [{ profile: 8b-l40s, count: 2 }] }
workload: { recorded: { file: trace.csv, format: azure, retime: { repeat: 50 } } }
seeds: [4]
policies:
  - round-robin
  - { name: from-file, config: mine.yaml }
  - { name: written-out, pipeline: { unified: { picker: random } } }
capacity: { goodput: 0.95, replays: 4 }
";
    let file = folder.path().join("scenario.yaml");
    fs::write(&file, scenario).expect("written");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let output = simulate(
        elsewhere.path(),
        &["--scenario", file.to_str().expect("text")],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    for told in [
        "100 requests",
        "round-robin",
        "from-file",
        "written-out",
        "req/s",
    ] {
        assert!(table.contains(told), "{told}: {table}");
    }

    fs::write(&file, scenario.replace("retime", "retmie")).expect("written");
    let error = refused(folder.path(), &["--scenario", "scenario.yaml"]);
    assert!(error.contains("scenario.yaml:3:"), "{error}");
    assert!(
        error.contains("unknown key `retmie`; known: file, format, retime"),
        "{error}"
    );
}

#[test]
fn what_makes_no_sense_is_told_with_what_would() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for (args, told) in [
        (&[][..], "name what to play"),
        (
            &["--preset", "tea"],
            "unknown preset `tea`; known: chat-hbm, ",
        ),
        (
            &["--workload", "tea"],
            "unknown workload `tea`; known: groups, ",
        ),
        (
            &["--workload", "chat", "--policy", "tea"],
            "unknown policy `tea`; known: default, ",
        ),
        (
            &["--workload", "chat", "--policy", "tea.yaml"],
            "cannot read tea.yaml",
        ),
        (
            &["--workload", "chat", "--fleet", "8b-h100"],
            "--fleet: `8b-h100` is not of the form",
        ),
        (
            &["--workload", "chat", "--preset", "agents"],
            "cannot be used with",
        ),
        (&["--workload", "chat", "--seeds", "0"], "invalid value '0'"),
    ] {
        let error = refused(folder, args);
        assert!(error.contains(told), "{args:?}: {error}");
    }
    let output = simulate(folder, &["--trace", "nothing.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("nothing.jsonl: "));
}
