//! Roles that a template does not know, in roles that it does, so that nothing that was said is lost.

use std::borrow::Cow;

use crate::ir::{Message, Prompt, Request};
use crate::text::template::TemplateFacts;

/// The request with `developer` told as `system`, and `system` behind other messages told as `user`, where the template
/// would leave them out or refuse them.
pub(super) fn known<'a>(request: Cow<'a, Request>, facts: &TemplateFacts) -> Cow<'a, Request> {
    let Prompt::Messages(messages) = &request.prompt else {
        return request;
    };
    let strange = |(at, message): (usize, &Message)| told_as(at, message, facts).is_some();
    if !messages.iter().enumerate().any(strange) {
        return request;
    }
    let mut request = request.into_owned();
    if let Prompt::Messages(messages) = &mut request.prompt {
        for (at, message) in messages.iter_mut().enumerate() {
            if let Some(role) = told_as(at, message, facts) {
                role.clone_into(&mut message.role);
            }
        }
    }
    Cow::Owned(request)
}

/// The role in which message number `at` is told instead of its own.
fn told_as(at: usize, message: &Message, facts: &TemplateFacts) -> Option<&'static str> {
    let is_developer = message.role == "developer" && !facts.prints_developer;
    let is_system = is_developer || message.role == "system";
    if is_system && at > 0 && !facts.prints_late_system && facts.prints_system {
        return Some("user");
    }
    is_developer.then_some("system")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(facts: &TemplateFacts) -> Vec<String> {
        let said = |role: &str| Message {
            role: role.to_owned(),
            ..Message::default()
        };
        let request = Request {
            prompt: Prompt::Messages(
                ["developer", "user", "system", "developer"]
                    .map(said)
                    .into(),
            ),
            ..Request::default()
        };
        let Prompt::Messages(messages) = known(Cow::Owned(request), facts).into_owned().prompt
        else {
            unreachable!("a conversation stays one");
        };
        messages.into_iter().map(|message| message.role).collect()
    }

    #[test]
    fn what_a_template_does_not_print_is_told_in_another_role() {
        let mut facts = TemplateFacts::default();
        facts.prints_system = true;
        assert_eq!(roles(&facts), ["system", "user", "user", "user"]);
        facts.prints_late_system = true;
        assert_eq!(roles(&facts), ["system", "user", "system", "system"]);
        facts.prints_developer = true;
        assert_eq!(roles(&facts), ["developer", "user", "system", "developer"]);
    }
}
