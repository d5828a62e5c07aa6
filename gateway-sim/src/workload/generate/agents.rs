//! Agents that call tools.

use serde::{Deserialize, Serialize};

use super::{
    Cx, Generator, Lengths,
    sessions::{self, Pace},
};
use crate::workload::{Draft, Prompt};

/// Loops of a model and its tools: instructions that all sessions of one agent share, a task, then turn after turn the
/// model's words and what the tool gave. Each request has everything before it in its prompt.
///
/// With the defaults about 62 % of blocks came before (2,000 requests, blocks of 512).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Agents {
    /// Agents, each with instructions of its own.
    pub agents: usize,
    /// Length of an agent's instructions, tool descriptions included.
    pub instruction_tokens: Lengths,
    /// Length of a task.
    pub task_tokens: Lengths,
    /// Mean requests of a session (geometric).
    pub turns: f64,
    /// Mean seconds from a request to the next one of its session (exponential): the answer and the tool.
    pub pause_seconds: f64,
    /// Length of what a tool gives.
    pub tool_tokens: Lengths,
    /// Length of an answer.
    pub output_tokens: Lengths,
}

impl Default for Agents {
    fn default() -> Self {
        Self {
            agents: 12,
            instruction_tokens: Lengths::new(2_000, 0.3),
            task_tokens: Lengths::new(2_000, 1.2),
            turns: 2.6,
            pause_seconds: 8.0,
            tool_tokens: Lengths::new(1_500, 1.2),
            output_tokens: Lengths::new(120, 0.8),
        }
    }
}

impl Generator for Agents {
    fn generate(&self, cx: &mut Cx) -> Vec<Draft> {
        let agents = cx.texts(self.agents, self.instruction_tokens);
        let pace = Pace {
            turns: self.turns,
            pause_seconds: self.pause_seconds,
        };
        let open = |cx: &mut Cx| {
            let instructions = agents[cx.rng.below(agents.len())];
            let mut prompt = Prompt::default();
            prompt.push(instructions.0, instructions.1);
            let task = self.task_tokens.draw(&mut cx.rng);
            cx.append(&mut prompt, task);
            prompt
        };
        sessions::play(cx, pace, open, |cx, prompt, at| {
            let output = self.output_tokens.draw(&mut cx.rng);
            let request = cx.request(at, prompt, output);
            let tool = self.tool_tokens.draw(&mut cx.rng);
            cx.append(prompt, output);
            cx.append(prompt, tool);
            request
        })
    }
}
