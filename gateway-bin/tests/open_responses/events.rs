//! The state machine that events of one response go through.

use std::collections::BTreeMap;

use serde_json::Value;

/// Checks numbering, the order of items and parts, and that deltas add up to what is told at their end.
pub(crate) fn check(events: &[Value]) {
    let mut items = Items::default();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number, "without gaps: {event}");
        let kind = event["type"].as_str().expect("a type");
        match kind {
            "response.created" => assert_eq!(
                (number, &event["response"]["status"]),
                (0, &"in_progress".into())
            ),
            "response.in_progress" => assert_eq!(number, 1),
            "response.completed" | "response.incomplete" | "response.failed" => {
                assert_eq!(number + 1, events.len(), "the last one: {event}");
                items.end(&event["response"]);
            }
            kind => items.step(kind, event),
        }
    }
}

#[derive(Default)]
struct Items {
    /// The item that is being written.
    open: Option<String>,
    /// What its deltas add up to.
    said: String,
    parts: BTreeMap<u64, bool>,
    done: Vec<Value>,
}

impl Items {
    fn step(&mut self, kind: &str, event: &Value) {
        if kind != "response.output_item.added" {
            let id = event["item_id"]
                .as_str()
                .or_else(|| event["item"]["id"].as_str());
            assert_eq!(self.open.as_deref(), id, "of the open item: {event}");
        }
        assert_eq!(event["output_index"], self.done.len(), "{event}");
        match kind {
            "response.output_item.added" => {
                assert_eq!(self.open, None, "one at a time: {event}");
                assert_eq!(event["item"]["status"], "in_progress");
                self.open = event["item"]["id"].as_str().map(str::to_owned);
                self.said.clear();
                self.parts.clear();
            }
            "response.content_part.added" => {
                let before = self
                    .parts
                    .insert(event["content_index"].as_u64().expect("an index"), true);
                assert_eq!(before, None, "once: {event}");
            }
            "response.content_part.done" => {
                let part = event["part"]["text"].as_str().expect("text");
                assert_eq!(part, self.said, "{event}");
                self.parts
                    .insert(event["content_index"].as_u64().expect("an index"), false);
            }
            "response.output_item.done" => {
                assert!(
                    self.parts.values().all(|open| !open),
                    "parts are closed: {event}"
                );
                assert_ne!(event["item"]["status"], "in_progress");
                self.done.push(event["item"].clone());
                self.open = None;
            }
            delta if delta.ends_with(".delta") => {
                self.said += event["delta"].as_str().expect("text")
            }
            done if done.ends_with(".done") => {
                let told = event["text"]
                    .as_str()
                    .or_else(|| event["arguments"].as_str());
                assert_eq!(told, Some(self.said.as_str()), "{event}");
            }
            other => panic!("an unknown event: {other}"),
        }
    }

    fn end(&self, response: &Value) {
        assert_eq!(
            response["output"],
            Value::Array(self.done.clone()),
            "what was streamed is what is told"
        );
    }
}
