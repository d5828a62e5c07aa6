//! Replays the fuzz corpora, so that what a fuzzer once found stays found.

use std::fs;
use std::path::Path;

use gateway_proto::fuzzing;

fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    let entries = fs::read_dir(&folder).expect("the corpus is part of the repository");
    let mut count = 0;
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        let input = fs::read(&path).expect("a readable file");
        let outcome = std::panic::catch_unwind(|| body(&input));
        assert!(
            outcome.is_ok(),
            "{} breaks the rule told above",
            path.display()
        );
        count += 1;
    }
    assert!(count >= 10, "{target}: only {count} inputs");
}

#[test]
fn sse() {
    replay("sse", fuzzing::sse);
}

#[test]
fn chat() {
    replay("chat", fuzzing::chat);
}

#[test]
fn messages() {
    replay("messages", fuzzing::messages);
}

#[test]
fn prometheus() {
    replay("prometheus", fuzzing::prometheus);
}

#[test]
fn kv_events() {
    replay("kv_events", fuzzing::kv_events);
}

#[test]
fn engine_tokens() {
    replay("engine_tokens", fuzzing::engine_tokens);
}

#[test]
fn dresult() {
    replay("dresult", fuzzing::dresult);
}

#[test]
fn responses() {
    replay("responses", fuzzing::responses);
}

#[cfg(feature = "text")]
#[test]
fn parse() {
    replay("parse", fuzzing::parse);
}

#[cfg(feature = "text")]
#[test]
fn detokenize() {
    replay("detokenize", fuzzing::detokenize);
}

#[cfg(feature = "text")]
#[test]
fn stops() {
    replay("stops", fuzzing::stops);
}

#[cfg(feature = "text")]
#[test]
fn template() {
    replay("template", fuzzing::template);
}
