//! Prompts given back with nothing behind them.

use crate::ir::{Event, Finish, Request, Step, Usage};

/// Whether a request asks for its prompts alone: an echo of them and no tokens more. No engine is needed for that.
#[must_use]
pub fn is_echo_alone(request: &Request) -> bool {
    request.echo && request.sampling.max_tokens == Some(0)
}

/// The answer to such a request: `choices` that are over before they begin. The prompts' texts come from the encoder,
/// as for every echo.
///
/// `prompt_tokens` are those of all prompts together.
pub fn echo_events(choices: u32, prompt_tokens: u64) -> impl Iterator<Item = Event> {
    let over = |choice| Event::Step {
        choice,
        step: Step::Finished {
            finish: Finish::Length,
            stop: None,
            violation: None,
        },
    };
    let usage = Event::Usage(Usage {
        prompt_tokens,
        ..Usage::default()
    });
    (0..choices).map(over).chain([usage])
}
