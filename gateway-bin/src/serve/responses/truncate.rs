//! `truncation: auto`: the oldest turns go until the rest fits.

use std::sync::Arc;

use gateway_proto::{
    ir::{Message, Prompt, Request},
    text::model::{PrepareError, TextModel},
};
use gateway_router::edge::in_turn;

use super::fault::refused;
use crate::{
    clock,
    config::ServedModel,
    serve::{answer, error_reply::Refusal},
};

/// The request with as many of its newest turns as fit into the model's context, and with all that the system says. Where
/// not even the newest turn fits, it is left for the model to refuse. A request that goes to engines by text stays as it is:
/// its tokens are known to them alone.
///
/// # Errors
/// Where the request is wrong for its model.
pub(super) async fn fit(served: &ServedModel, request: Request) -> Result<Request, Refusal> {
    let model = served.tokens.as_ref().map(Arc::clone);
    let Some(model) = model.filter(|_| !answer::goes_by_text(served, &request)) else {
        return Ok(request);
    };
    let bytes = request.prompt_bytes();
    let fitted = in_turn(bytes, move || fitted(&model, request)).await?;
    fitted.map_err(|error| refused(error.to_api()))
}

fn fitted(model: &TextModel, mut request: Request) -> Result<Request, PrepareError> {
    let Prompt::Messages(all) = &mut request.prompt else {
        return Ok(request);
    };
    let all = std::mem::take(all);
    let turns = turns(&all);
    // The fewest turns to drop; dropping more never makes a prompt longer.
    let (mut least, mut most) = (0, turns.len().saturating_sub(1));
    while least < most {
        let middle = usize::midpoint(least, most);
        request.prompt = Prompt::Messages(without(&all, turns[middle]));
        if fits(model, &request)? {
            most = middle;
        } else {
            least = middle + 1;
        }
    }
    let from = turns.get(least).copied().unwrap_or(0);
    request.prompt = Prompt::Messages(without(&all, from));
    Ok(request)
}

fn fits(model: &TextModel, request: &Request) -> Result<bool, PrepareError> {
    // Prompts that are only tried must not push others out of what is kept of earlier turns.
    let prompts = model.tokens(request, clock::local_time())?;
    let context = model.context_tokens() as usize;
    Ok(prompts.iter().all(|prompt| prompt.len() < context))
}

/// Where turns begin: at the first message, and at each of the user's behind it.
fn turns(messages: &[Message]) -> Vec<usize> {
    let is_user = |at: &usize| messages[*at].role == "user";
    let first = messages.iter().position(|message| !is_system(message));
    let behind = (0..messages.len()).filter(is_user);
    first
        .into_iter()
        .chain(behind.filter(|at| Some(*at) != first))
        .collect()
}

/// The messages from `from` on, and what the system says before.
fn without(messages: &[Message], from: usize) -> Vec<Message> {
    let kept = |(at, message): &(usize, &Message)| *at >= from || is_system(message);
    let messages = messages.iter().enumerate().filter(kept);
    messages.map(|(_, message)| message.clone()).collect()
}

fn is_system(message: &Message) -> bool {
    matches!(message.role.as_str(), "system" | "developer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(roles: &[&str]) -> Vec<Message> {
        let message = |role: &&str| Message {
            role: (*role).to_owned(),
            ..Message::default()
        };
        roles.iter().map(message).collect()
    }

    #[test]
    fn turns_begin_with_the_user() {
        let all = messages(&["system", "assistant", "user", "assistant", "tool", "user"]);
        assert_eq!(turns(&all), [1, 2, 5]);
        let roles = |from| -> Vec<String> {
            without(&all, from)
                .into_iter()
                .map(|one| one.role)
                .collect()
        };
        assert_eq!(roles(2), ["system", "user", "assistant", "tool", "user"]);
        assert_eq!(roles(5), ["system", "user"]);
    }
}
