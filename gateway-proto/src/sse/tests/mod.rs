mod decoder;
mod dialects;
mod relay;

/// The body of a recorded exchange.
fn body(capture: &str) -> &str {
    let (_, reply) = capture.split_once("\n\n< ").expect("a capture has a reply");
    reply.split_once("\n\n").expect("a capture has a body").1
}

/// Recorded streams of three engines.
fn transcripts() -> Vec<&'static str> {
    vec![
        body(include_str!("../../../testdata/vllm/chat_stream.txt")),
        body(include_str!(
            "../../../testdata/vllm/chat_tool_named_stream.txt"
        )),
        body(include_str!(
            "../../../testdata/vllm/completion_stream_token_ids.txt"
        )),
        body(include_str!(
            "../../../testdata/vllm/completion_n2_batch2_stream.txt"
        )),
        body(include_str!("../../../testdata/sglang/chat_stream.txt")),
        body(include_str!(
            "../../../testdata/sglang/chat_stream_continuous_usage.txt"
        )),
        body(include_str!("../../../testdata/llamacpp/chat_stream.txt")),
        body(include_str!("../../../testdata/vllm/generate_stream.txt")),
        body(include_str!(
            "../../../testdata/sglang/generate_ids_stream.txt"
        )),
    ]
}
