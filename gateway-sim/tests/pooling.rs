//! Embeddings, ranks and scores.

mod support;

use serde_json::{Value, json};
use support::*;

fn vector(value: &Value) -> Vec<f64> {
    let list = value["embedding"].as_array().expect("a vector");
    list.iter()
        .map(|one| one.as_f64().expect("a number"))
        .collect()
}

#[tokio::test]
async fn embeddings_are_of_length_one_and_repeat() {
    let engine = start(config()).await;
    let body = json!({"input": ["The sea", "The river"], "dimensions": 16});
    let reply = fetch(&engine, post("/v1/embeddings", &body)).await.json();
    let (sea, river) = (vector(&reply["data"][0]), vector(&reply["data"][1]));
    assert_eq!((sea.len(), river.len()), (16, 16));
    assert_ne!(sea, river);
    let length: f64 = sea.iter().map(|one| one * one).sum();
    assert!((length - 1.0).abs() < 1e-5, "{length}");
    let again = fetch(&engine, post("/v1/embeddings", &body)).await.json();
    assert_eq!(again["data"], reply["data"]);
    assert_eq!(
        reply["usage"]["prompt_tokens"],
        reply["usage"]["total_tokens"]
    );

    let body = json!({"input": [[900, 901], [902]], "encoding_format": "base64"});
    let reply = fetch(&engine, post("/v1/embeddings", &body)).await.json();
    // 64 numbers of four bytes.
    let text = reply["data"][1]["embedding"].as_str().expect("base64");
    assert_eq!(text.len(), 344);
    let empty = fetch(&engine, post("/v1/embeddings", &json!({"input": [""]}))).await;
    assert_eq!(empty.status, 400);
}

#[tokio::test]
async fn what_is_alike_ranks_first() {
    let engine = start(config()).await;
    let documents = json!(["Of bread and wine", {"text": "the river runs to the sea"}, "Stars"]);
    let body = json!({"query": "the river runs to the sea", "documents": documents, "top_n": 2});
    let reply = fetch(&engine, post("/v1/rerank", &body)).await.json();
    let results = reply["results"].as_array().expect("results");
    assert_eq!((results.len(), &results[0]["index"]), (2, &json!(1)));
    assert_eq!(results[0]["document"]["text"], "the river runs to the sea");
    assert!(results[0]["relevance_score"].as_f64() > results[1]["relevance_score"].as_f64());

    let body = json!({"text_1": "Stars", "text_2": ["Stars", "Bread"]});
    let reply = fetch(&engine, post("/v1/score", &body)).await.json();
    let score = |at: usize| reply["data"][at]["score"].as_f64().expect("a score");
    assert!((score(0) - 1.0).abs() < 1e-6 && score(1) < score(0));
    let missing = fetch(&engine, post("/v1/score", &json!({"text_1": "a"}))).await;
    assert_eq!(missing.status, 400);
}
