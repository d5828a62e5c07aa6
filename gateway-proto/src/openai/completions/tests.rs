use super::*;
use crate::ir::Prompt;
use crate::openai::testing::request_body;

macro_rules! capture {
    ($path:literal) => {
        include_str!(concat!("../../../testdata/", $path))
    };
}

#[test]
fn prompts_of_every_form() {
    for (prompt, expected) in [
        (r#""a""#, Prompt::Text("a".to_owned())),
        (
            r#"["a","b"]"#,
            Prompt::Texts(vec!["a".to_owned(), "b".to_owned()]),
        ),
        ("[1,2]", Prompt::TokenIds(vec![1, 2])),
        ("[[1],[2]]", Prompt::TokenIdLists(vec![vec![1], vec![2]])),
        ("[]", Prompt::Texts(Vec::new())),
    ] {
        let body =
            format!(r#"{{"model":"m","prompt":{prompt},"echo":true,"return_token_ids":true}}"#);
        let request = decode_request(body.as_bytes()).expect("valid");
        assert_eq!(request.prompt, expected);
        assert!(request.return_token_ids);
        assert!(request.echo);
        assert_eq!(encode_request(&request), body.as_bytes());
    }
}

#[test]
fn prompts_of_no_form_are_named() {
    let spaced = br#"{"model":"m","prompt": [ [ 1 ] ] }"#;
    let request = decode_request(spaced).expect("valid");
    assert_eq!(request.prompt, Prompt::TokenIdLists(vec![vec![1]]));
    for prompt in [
        "{}",
        "7",
        "true",
        "[{}]",
        r#"[1,"a"]"#,
        r#"["a",1]"#,
        "[[1],2]",
        "[-1]",
        "[4294967296]",
    ] {
        let body = format!(r#"{{"model":"m","prompt":{prompt}}}"#);
        let error = decode_request(body.as_bytes()).expect_err("no prompt");
        assert_eq!(error.path(), Some("prompt"), "{prompt}");
    }
}

#[test]
fn recorded_requests() {
    for capture in [
        capture!("vllm/completion.txt"),
        capture!("vllm/completion_token_ids.txt"),
        capture!("sglang/completion.txt"),
        capture!("sglang/completion_stream.txt"),
    ] {
        let request = decode_request(request_body(capture).as_bytes()).expect("recorded");
        let again = decode_request(&encode_request(&request)).expect("our own");
        assert_eq!(again, request);
    }
}
