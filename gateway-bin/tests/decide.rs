//! `gateway decide` as a process of its own.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::{Value, json};

const INIT: &str =
    r#"{"t":"init","block_size":16,"engines":[{"id":3,"class":"a"},{"id":5,"class":"a"}]}"#;

fn spawn(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_gateway"))
        .arg("decide")
        .args(args)
        .env_remove("NOBODY_SETS_THIS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs")
}

fn decide(args: &[&str], input: &str) -> Output {
    let mut child = spawn(args);
    let mut stdin = child.stdin.take().expect("piped");
    // Who stops at a bad line does not read the rest.
    stdin.write_all(input.as_bytes()).unwrap_or_default();
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// The answers, from a run that went well.
fn answers(args: &[&str], input: &str) -> Vec<Value> {
    let output = decide(args, input);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines = text(&output.stdout);
    let parse = |line| serde_json::from_str(line).expect("JSON");
    lines.lines().map(parse).collect()
}

/// What was answered before the bad line, and what was said of it.
fn refused(args: &[&str], input: &str) -> (String, String) {
    let output = decide(args, input);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

fn route(id: u64, now: f64) -> String {
    json!({"t": "route", "req": {"id": id, "now": now, "input": 100}}).to_string()
}

fn engine(answer: &Value) -> u64 {
    answer["engine"].as_u64().expect("an engine")
}

/// A conversation of some length, in which chance has a part.
fn conversation() -> String {
    let mut lines = vec![INIT.to_owned()];
    for n in 0..200_u64 {
        let now = n as f64 * 0.05;
        let hashes: Vec<_> = (0..20).map(|at| n % 9 * 100 + at).collect();
        lines.push(
            json!({"t": "route", "req": {"id": n, "now": now, "input": 320, "hashes": hashes}})
                .to_string(),
        );
        lines
            .push(json!({"t": "first_token", "now": now + 0.02, "id": n, "cached": 0}).to_string());
        if n >= 5 {
            lines.push(json!({"t": "finish", "now": now, "id": n - 5, "output": 50}).to_string());
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn only_requests_are_answered_each_by_its_own_line_in_order() {
    let input = [
        INIT,
        r#"{"t":"telemetry","now":0.1,"engine":3,"running":3.0,"waiting":0,"kv_usage":0.2,"of_tomorrow":[{}]}"#,
        r#"{"t":"kv","now":0.1,"engine":5,"stored":[1,2],"removed":[],"host_stored":[],"host_removed":[]}"#,
        &route(7, 0.2),
        r#"{"t":"first_token","now":0.3,"id":7,"engine":3,"cached":0}"#,
        &route(8, 0.4),
        r#"{"t":"finish","now":0.5,"id":7,"engine":3,"output":9}"#,
        "\n \n",
    ]
    .join("\n");
    let answers = answers(&[], &input);
    let ids: Vec<_> = answers.iter().map(|answer| &answer["id"]).collect();
    assert_eq!(ids, [7, 8]);
    for answer in &answers {
        assert_eq!(answer.as_object().expect("an object").len(), 2, "{answer}");
        assert!([3, 5].contains(&engine(answer)), "{answer}");
    }
}

#[test]
fn an_answer_comes_before_the_next_line_is_asked_for() {
    let mut child = spawn(&[]);
    let mut stdin = child.stdin.take().expect("piped");
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    writeln!(stdin, "{INIT}").expect("written");
    for id in 0..5 {
        writeln!(stdin, "{}", route(id, 1.0)).expect("written");
        let mut line = String::new();
        stdout.read_line(&mut line).expect("an answer");
        assert!(
            line.starts_with(&format!("{{\"id\":{id},\"engine\":")),
            "{line}"
        );
    }
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn equal_input_and_seed_give_equal_bytes() {
    let input = conversation();
    for policy in ["latency", "random", "round-robin", "cache-aware"] {
        let run = |seed| decide(&["--policy", policy, "--seed", seed, "--explain"], &input).stdout;
        assert_eq!(run("1"), run("1"), "{policy}");
    }
    let run = |seed| decide(&["--policy", "random", "--seed", seed], &input).stdout;
    assert_ne!(run("1"), run("2"), "chance follows the seed");
}

#[test]
fn init_starts_over_with_whatever_plug_ins_had_counted() {
    let once = conversation();
    for policy in ["latency", "random", "round-robin", "preble-e2"] {
        let first = text(&decide(&["--policy", policy], &once).stdout);
        let both = text(&decide(&["--policy", policy], &once.repeat(2)).stdout);
        assert_eq!(both, first.repeat(2), "{policy}");
    }
}

#[test]
fn a_pair_is_two_engines_or_one_twice() {
    let fleet = r#"{"t":"init","block_size":16,"engines":[{"id":1,"role":"prefill"},{"id":2,"role":"decode"},{"id":4}]}"#;
    let ask = |cands: &str, decode: &str| {
        format!(
            r#"{{"t":"route","req":{{"id":1,"now":1,"input":9000,"phase":"prefill","cands":{cands},"decode_cands":{decode}}}}}"#
        )
    };
    let pair = |cands: &str, decode: &str| {
        let answers = answers(&[], &format!("{fleet}\n{}", ask(cands, decode)));
        let number = |name: &str| answers[0][name].as_u64();
        (
            number("prefill"),
            number("decode"),
            answers[0]["reject"].as_bool(),
        )
    };
    let (prefill, decode, _) = pair("[1]", "[2]");
    assert!([(Some(1), Some(2)), (Some(2), Some(2))].contains(&(prefill, decode)));
    assert_eq!(pair("[4]", "[4]"), (Some(4), Some(4), None), "no split");
    assert_eq!(pair("[1]", "[]"), (Some(1), Some(1), None), "only one side");
    assert_eq!(
        pair("[]", "[2]"),
        (Some(2), Some(2), None),
        "only the other"
    );
    assert_eq!(pair("[]", "[]"), (None, None, Some(true)));
    assert_eq!(
        pair("[99]", "[98]"),
        (None, None, Some(true)),
        "nobody known"
    );
}

#[test]
fn candidates_restrict_and_nobody_is_a_refusal() {
    let ask = |id: u64, cands: &str| {
        format!(r#"{{"t":"route","req":{{"id":{id},"now":1,"input":10,"cands":{cands}}}}}"#)
    };
    let input = [
        INIT,
        &ask(1, "[5]"),
        &ask(2, "[5.0, 77]"),
        &ask(3, "[]"),
        &ask(4, "null"),
    ]
    .join("\n");
    let answers = answers(&[], &input);
    assert_eq!(
        answers[..3],
        [
            json!({"id": 1, "engine": 5}),
            json!({"id": 2, "engine": 5}),
            json!({"id": 3, "reject": true}),
        ]
    );
    assert_eq!(engine(&answers[3]), 3, "the other one has nothing to do");
}

#[test]
fn the_record_follows_where_it_is_asked_for() {
    let told = answers(&["--explain"], &format!("{INIT}\n{}\n", route(7, 1.0)));
    let chosen = engine(&told[0]).to_string();
    let record = &told[0]["explain"];
    assert_eq!(record["chosen"], *chosen);
    assert_eq!(record["candidates"].as_array().expect("a list").len(), 2);
    assert!(record["candidates"][0]["forecast"]["ttft_ms"].is_number());
}

#[test]
fn what_is_no_message_ends_it_with_its_line() {
    let good = route(1, 1.0);
    for (bad, why) in [
        ("{\"t\":\"route\"", "line 3: not a message"),
        ("tea", "line 3: not a message"),
        ("[]", "line 3: not a message"),
        ("{\"now\":1}", "missing field `t`"),
        ("{\"t\":\"tea\"}", "unknown variant `tea`"),
        (
            "{\"t\":\"route\",\"req\":{\"cands\":[-1]}}",
            "a whole number from 0",
        ),
        ("{\"t\":\"finish\",\"now\":1}", "missing field `id`"),
        ("", "line 3: empty"),
    ] {
        let (answers, error) = refused(&[], &format!("{INIT}\n{good}\n{bad}\n{good}\n"));
        assert_eq!(
            answers.lines().count(),
            1,
            "{bad}: what came before is answered"
        );
        assert!(
            error.starts_with("error: ") && error.contains(why),
            "{error}"
        );
        assert!(error.contains("line 3"), "{error}");
    }
    let (_, error) = refused(&[], &good);
    assert!(
        error.contains("line 1: `route` came before `init`"),
        "{error}"
    );
    let twice = r#"{"t":"init","engines":[{"id":1},{"id":1}]}"#;
    assert!(refused(&[], twice).1.contains("line 1: init: "));
}

#[test]
fn numbers_that_are_none_and_engines_that_are_not_there_do_no_harm() {
    let input = [
        INIT,
        r#"{"t":"telemetry","now":NaN,"engine":3,"running":-Infinity,"waiting":NaN,"kv_usage":null}"#,
        r#"{"t":"telemetry","now":1,"engine":99,"running":1}"#,
        r#"{"t":"finish","now":1,"id":12345}"#,
        &route(1, 2.0),
    ]
    .join("\n");
    let output = decide(&[], &input);
    assert!(output.status.success());
    assert_eq!(text(&output.stdout).lines().count(), 1);
    assert!(text(&output.stderr).starts_with("note: 2 messages said nothing"));
}

fn written(folder: &Path, config: &str) -> String {
    let file = folder.join("gateway.yaml");
    fs::write(&file, config).expect("written");
    file.to_str().expect("text").to_owned()
}

#[test]
fn a_configuration_needs_nothing_but_its_pipelines() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "
listen: ${NOBODY_SETS_THIS}
keys: [{ id: me, hash: '${NOBODY_SETS_THIS}' }]
endpoints: [{ url: '${NOBODY_SETS_THIS}' }]
pipeline: { scorers: [], picker: round-robin }
models:
  - name: chat
    pipeline: { scorers: [least-requests], picker: best }
";
    let file = written(folder.path(), config);
    let input = format!(
        "{INIT}\n{}\n{}\n{}\n",
        route(1, 1.0),
        route(2, 1.0),
        route(3, 1.0)
    );
    let turns: Vec<_> = answers(&["--config", &file], &input)
        .iter()
        .map(engine)
        .collect();
    assert_eq!(turns, [turns[0], turns[1], turns[0]], "each in turn");
    assert_ne!(turns[0], turns[1]);

    let explained = |model: &str| {
        let told = answers(&["--config", &file, "--model", model, "--explain"], &input);
        told[0]["explain"]["picker"]
            .as_str()
            .expect("a name")
            .to_owned()
    };
    assert_eq!(explained("chat"), "best");
    assert_eq!(explained("another"), "round-robin");
}

#[test]
fn a_configuration_that_is_wrong_is_told_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    for (config, why) in [
        ("pipelin: {}\n", "pipelin"),
        ("pipeline: { scorers: [tea] }\n", "tea"),
        ("pipeline: [\n", "gateway.yaml"),
    ] {
        let output = decide(&["--config", &written(folder.path(), config)], INIT);
        assert_eq!(output.status.code(), Some(1), "{config}");
        let error = text(&output.stderr);
        assert!(
            error.contains(why) && error.contains("gateway.yaml"),
            "{error}"
        );
    }
    let output = decide(&["--policy", "tea"], INIT);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("unknown policy `tea`; known: default, "));
}

#[test]
fn objectives_of_the_configuration_hold_for_requests_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let scores = |objectives: &str| {
        let config = format!(
            "objectives: {objectives}\npipeline: {{ scorers: [{{ name: latency, jitter: 0 }}], picker: best }}\n"
        );
        let file = written(folder.path(), &config);
        let told = answers(
            &["--config", &file, "--explain"],
            &format!("{INIT}\n{}\n", route(1, 1.0)),
        );
        told[0]["explain"]["candidates"][0]["total"]
            .as_f64()
            .expect("a score")
    };
    assert!(
        scores("{ ttft: 10ms }") < scores("{ ttft: 4s }"),
        "less time, more cost"
    );
}

#[test]
fn a_socket_serves_one_caller_after_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("decide.sock");
    let mut child = spawn(&[
        "--policy",
        "round-robin",
        "--socket",
        path.to_str().expect("text"),
    ]);
    let call = || loop {
        match UnixStream::connect(&path) {
            Ok(stream) => return stream,
            Err(_) => std::thread::yield_now(),
        }
    };
    let converse = || {
        let mut stream = call();
        let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
        (0..3)
            .map(|id| {
                let init = if id == 0 {
                    INIT
                } else {
                    r#"{"t":"finish","id":0,"now":1}"#
                };
                writeln!(stream, "{init}\n{}", route(id, 1.0)).expect("written");
                lines.next().expect("an answer").expect("text")
            })
            .collect::<Vec<_>>()
    };
    let first = converse();
    assert_eq!(first.len(), 3);
    assert_eq!(converse(), first, "each caller begins anew");
    writeln!(call(), "tea").expect("written");
    let output = child.wait().expect("it ends");
    assert_eq!(output.code(), Some(2));
    assert!(!path.exists());
}

#[test]
fn the_documented_conversation_goes_as_documented() {
    let docs = include_str!("../../docs/decide.md");
    let (_, rest) = docs.split_once("<<'END'\n").expect("a transcript");
    let (input, rest) = rest.split_once("END\n").expect("its input");
    let (told, _) = rest.split_once("```").expect("its output");
    let output = decide(&["--policy", "latency"], input);
    assert_eq!(text(&output.stdout), told);
}
