use super::*;
use crate::workload::Draft;

fn good(format: Format, text: &str, block_tokens: u32) -> Trace {
    read(format, "t", text.as_bytes(), block_tokens).unwrap()
}

fn refused(format: Format, text: &str) -> String {
    read(format, "t", text.as_bytes(), 512)
        .unwrap_err()
        .to_string()
}

fn at_ms(requests: &[Draft]) -> Vec<u64> {
    let begin = requests[0].at_seconds;
    let ms = |request: &Draft| ((request.at_seconds - begin) * 1e3).round() as u64;
    requests.iter().map(ms).collect()
}

#[test]
fn mooncake_rows_share_the_blocks_they_say() {
    let trace = good(
        Format::Mooncake,
        include_str!("../testdata/mooncake.jsonl"),
        512,
    );
    let [a, b, c] = &trace.requests[..] else {
        panic!("three rows");
    };
    assert_eq!(at_ms(&trace.requests), [0, 1_500, 3_000]);
    assert_eq!((a.input_tokens, a.output_tokens), (1_100, 6));
    assert_eq!(a.blocks[..2], b.blocks[..]);
    assert_eq!(a.blocks[0], c.blocks[0]);
    assert_ne!(a.blocks[1], c.blocks[1]);
    assert_eq!(c.output_tokens, 1, "an answer has at least one token");
}

#[test]
fn mooncake_blocks_are_cut_to_the_block_size_of_the_fleet() {
    let text = include_str!("../testdata/mooncake.jsonl");
    let trace = good(Format::Mooncake, text, 16);
    assert_eq!(trace.requests[0].blocks.len(), 69);
    assert_eq!(trace.requests[0].blocks[..64], trace.requests[1].blocks[..]);
    assert_eq!(
        good(Format::Mooncake, text, 1_024).requests[0].blocks.len(),
        2
    );
}

#[test]
fn equal_ids_after_different_ones_are_different_blocks() {
    let text = r#"{"timestamp":0,"input_length":1024,"output_length":1,"hash_ids":[1,9]}
{"timestamp":1,"input_length":1024,"output_length":1,"hash_ids":[2,9]}"#;
    let trace = good(Format::Mooncake, text, 512);
    assert_ne!(trace.requests[0].blocks[1], trace.requests[1].blocks[1]);
}

#[test]
fn azure_takes_both_forms_of_time() {
    let first = good(Format::Azure, include_str!("../testdata/azure.csv"), 512);
    assert_eq!(at_ms(&first.requests), [0, 819, 4_315], "put in order");
    assert_eq!(first.requests[1].input_tokens, 879);
    let second = good(
        Format::Azure,
        include_str!("../testdata/azure_offset.csv"),
        512,
    );
    assert_eq!(at_ms(&second.requests), [0, 500], "offsets count");
    assert_eq!(second.requests[0].blocks.len(), 5);
    assert_ne!(second.requests[0].blocks[0], second.requests[1].blocks[0]);
}

#[test]
fn the_log_gives_requests_with_usage_at_the_time_they_came() {
    let trace = good(Format::Log, include_str!("../testdata/access.jsonl"), 512);
    assert_eq!(trace.skipped, 2);
    assert_eq!(at_ms(&trace.requests), [0, 1_000]);
    assert_eq!(trace.requests[0].input_tokens, 900);
}

#[test]
fn an_error_names_file_line_and_field() {
    let whole = r#"{"timestamp":0,"input_length":1,"output_length":1,"hash_ids":[1]}"#;
    for (format, text, told) in [
        (Format::Mooncake, "{", "t:1: EOF"),
        (
            Format::Mooncake,
            r#"{"timestamp":0}"#,
            "t:1: input_length: is missing",
        ),
        (
            Format::Mooncake,
            r#"{"timestamp":0,"input_length":513,"output_length":1,"hash_ids":[1]}"#,
            "t:1: hash_ids: 1 ids for 513 tokens; 2 blocks of 512 were expected",
        ),
        (
            Format::Mooncake,
            r#"{"timestamp":-1,"input_length":1,"output_length":1,"hash_ids":[1]}"#,
            "t:1: timestamp: `-1` is not a time",
        ),
        (
            Format::Mooncake,
            r#"{"timestamp":1,"input_length":0,"output_length":1,"hash_ids":[]}"#,
            "t:1: input_length: `0` is not",
        ),
        (Format::Azure, "", "t: no request in it"),
        (
            Format::Azure,
            "TIMESTAMP,ContextTokens\n",
            "t:1: GeneratedTokens: is missing",
        ),
        (
            Format::Azure,
            "TIMESTAMP,ContextTokens,GeneratedTokens\nsoon,1,2",
            "t:2: TIMESTAMP: `soon` is not a time",
        ),
        (
            Format::Azure,
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,-1,2",
            "t:2: ContextTokens: `-1` is not a count",
        ),
        (
            Format::Azure,
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1",
            "t:2: GeneratedTokens: is missing",
        ),
        (Format::Log, "listening", "t:1: expected value"),
        (Format::Log, "{}", "t: no request in it; access lines"),
        (
            Format::Log,
            r#"{"target":"gateway::access","prompt_tokens":1,"completion_tokens":1}"#,
            "t:1: timestamp: is missing",
        ),
    ] {
        let error = refused(format, text);
        assert!(error.starts_with(told), "{text}: {error}");
    }
    let second = refused(Format::Mooncake, &format!("{whole}\n\n{{\"a\":1}}"));
    assert!(
        second.starts_with("t:3: timestamp"),
        "blank lines count: {second}"
    );
}

#[test]
fn a_line_without_end_is_refused() {
    let error = refused(Format::Mooncake, &"x".repeat(2 << 20));
    assert_eq!(error, "t:1: longer than 1048576 bytes");
}
