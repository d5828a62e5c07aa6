//! A coding agent's conversation, turn by turn.

use serde_json::{Value, json};

use crate::Prose;

/// Rounds of a question, a tool's call and result, and an answer.
#[derive(Clone, Debug)]
pub struct Conversation {
    system: String,
    rounds: Vec<Round>,
}

#[derive(Clone, Debug)]
struct Round {
    question: String,
    remark: String,
    path: String,
    file: String,
    answer: String,
}

impl Conversation {
    /// `rounds` rounds of about `bytes` bytes of text together.
    #[must_use]
    pub fn new(seed: u64, rounds: usize, bytes: usize) -> Self {
        let mut prose = Prose::new(seed);
        let system_bytes = bytes / 10;
        let each = (bytes - system_bytes) / rounds;
        Self {
            system: prose.text(system_bytes),
            rounds: (0..rounds)
                .map(|number| Round::new(&mut prose, number, each))
                .collect(),
        }
    }

    /// How many rounds it has.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.rounds.len()
    }

    /// The chat body that asks the question of round `turn`, everything before it in its history.
    ///
    /// # Panics
    /// If there is no such round.
    #[must_use]
    pub fn chat_body(&self, turn: usize) -> Vec<u8> {
        let mut messages = vec![json!({"role": "system", "content": self.system})];
        for (number, round) in self.rounds[..turn].iter().enumerate() {
            messages.extend(round.chat(number));
        }
        messages.push(json!({"role": "user", "content": self.rounds[turn].question}));
        let tools: Vec<Value> = tools()
            .map(|(name, told, parameters)| {
                json!({"type": "function", "function": {"name": name, "description": told, "parameters": parameters}})
            })
            .collect();
        let body = json!({
            "model": "m", "messages": messages, "tools": tools, "stream": true, "max_tokens": 512,
            "stream_options": {"include_usage": true},
        });
        body.to_string().into_bytes()
    }

    /// The same as an Anthropic Messages body.
    ///
    /// # Panics
    /// If there is no such round.
    #[must_use]
    pub fn messages_body(&self, turn: usize) -> Vec<u8> {
        let mut messages = Vec::new();
        for (number, round) in self.rounds[..turn].iter().enumerate() {
            messages.extend(round.messages(number));
        }
        messages.push(json!({"role": "user", "content": self.rounds[turn].question}));
        let tools: Vec<Value> = tools()
            .map(|(name, told, schema)| json!({"name": name, "description": told, "input_schema": schema}))
            .collect();
        let body = json!({
            "model": "m", "max_tokens": 512, "stream": true, "system": self.system, "tools": tools, "messages": messages,
        });
        body.to_string().into_bytes()
    }
}

impl Round {
    fn new(prose: &mut Prose, number: usize, bytes: usize) -> Self {
        Self {
            question: prose.text(bytes / 6),
            remark: prose.text(bytes / 12),
            path: format!("src/part_{number}.rs"),
            file: prose.code(bytes / 2),
            answer: prose.text(bytes / 4),
        }
    }

    fn chat(&self, number: usize) -> [Value; 4] {
        let id = format!("call_{number}");
        let arguments = json!({"path": self.path}).to_string();
        let call = json!({"id": id, "type": "function", "function": {"name": "read_file", "arguments": arguments}});
        [
            json!({"role": "user", "content": self.question}),
            json!({"role": "assistant", "content": self.remark, "tool_calls": [call]}),
            json!({"role": "tool", "tool_call_id": id, "content": self.file}),
            json!({"role": "assistant", "content": self.answer}),
        ]
    }

    fn messages(&self, number: usize) -> [Value; 4] {
        let id = format!("call_{number}");
        let call = json!({"type": "tool_use", "id": id, "name": "read_file", "input": {"path": self.path}});
        let result = json!({"type": "tool_result", "tool_use_id": id, "content": self.file});
        [
            json!({"role": "user", "content": self.question}),
            json!({"role": "assistant", "content": [{"type": "text", "text": self.remark}, call]}),
            json!({"role": "user", "content": [result]}),
            json!({"role": "assistant", "content": self.answer}),
        ]
    }
}

/// Name, description and parameters.
fn tools() -> impl Iterator<Item = (&'static str, &'static str, Value)> {
    let text = |told: &str| json!({"type": "string", "description": told});
    let path = text("Where the file is, from the project's root");
    let object = |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    let read = object(
        json!({"path": path, "from": {"type": "integer", "minimum": 1}, "lines": {"type": "integer", "maximum": 2000}}),
        json!(["path"]),
    );
    let write = object(
        json!({"path": path, "text": text("What the file shall hold")}),
        json!(["path", "text"]),
    );
    let run = object(
        json!({"command": text("A line for the shell"), "timeout_s": {"type": "number"},
            "env": {"type": "array", "items": {"type": "string"}}}),
        json!(["command"]),
    );
    [
        ("read_file", "Reads a file, or some of its lines.", read),
        (
            "write_file",
            "Writes a file anew, whatever was there before.",
            write,
        ),
        (
            "run",
            "Runs a command and gives what it printed, both streams together.",
            run,
        ),
    ]
    .into_iter()
}
