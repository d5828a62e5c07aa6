//! What a template understands, learnt by trying it.

use std::collections::BTreeSet;

use super::context;
use super::engine::Engine;
use super::{LocalTime, SpecialTokens, TemplateError};
use crate::ir::{Content, Fields, Message, Part, Prompt, Request, ToolCall};

/// What is known of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateFacts {
    /// The variables it reads, as `enable_thinking`, `tools`, `documents`.
    pub variables: BTreeSet<String>,
    /// Whether it prints contents that are one text.
    pub takes_text: bool,
    /// Whether it prints contents that are lists of parts.
    pub takes_parts: bool,
    /// Whether a message without content is printed as one with an empty text, as the template knows no other.
    pub null_as_empty: bool,
    /// Whether it wants the arguments of tool calls as the text of a JSON object instead of as the object.
    pub arguments_as_text: bool,
    /// Whether it prints what is said in the role `system`.
    pub prints_system: bool,
    /// Whether it prints what is said in the role `developer`.
    pub prints_developer: bool,
    /// Whether it prints what is said in the role `system` behind other messages.
    pub prints_late_system: bool,
    pub(super) shape: Shape,
}

impl TemplateFacts {
    /// Whether the template reads a variable.
    #[must_use]
    pub fn reads(&self, variable: &str) -> bool {
        self.variables.contains(variable)
    }
}

/// How a conversation is written down for a template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// One text becomes a list of one part.
    pub(super) text_as_parts: bool,
    /// Text parts become one text.
    pub(super) parts_as_text: bool,
    /// No content becomes an empty text.
    pub(super) null_as_empty: bool,
    /// Arguments of tool calls stay text.
    pub(super) arguments_as_text: bool,
}

/// A word that no template holds.
const SAID: &str = "Quokka7Marmalade";

/// Tries a compiled template.
pub(super) fn learn(
    engine: &Engine,
    source: &str,
    tokens: &SpecialTokens,
) -> Result<TemplateFacts, TemplateError> {
    let variables: BTreeSet<String> = engine.variables()?.collect();
    let mut probe = Probe {
        engine,
        tokens,
        shape: Shape::default(),
    };
    let takes_text = probe.prints(vec![user(text())], SAID);
    let takes_parts = source.contains("content") && probe.prints_parts();
    probe.shape.text_as_parts = !takes_text && takes_parts;
    probe.shape.parts_as_text = takes_text && !takes_parts;
    probe.shape.arguments_as_text = !probe.takes_call() && probe.takes_call_text();
    probe.shape.null_as_empty = probe.fails_on_null();
    Ok(TemplateFacts {
        takes_text,
        takes_parts,
        null_as_empty: probe.shape.null_as_empty,
        arguments_as_text: probe.shape.arguments_as_text,
        prints_system: probe.prints(vec![said("system", text()), user(plain("hi"))], SAID),
        prints_developer: probe.prints(vec![said("developer", text()), user(plain("hi"))], SAID),
        prints_late_system: probe.prints_late_system(),
        variables,
        shape: probe.shape,
    })
}

struct Probe<'a> {
    engine: &'a Engine,
    tokens: &'a SpecialTokens,
    shape: Shape,
}

impl Probe<'_> {
    fn render(&self, request: &Request) -> Option<String> {
        let now = LocalTime::from_unix(0, 0);
        let messages = context::messages(request, &self.shape, None).ok()?;
        let variables = context::variables(request, messages, self.tokens, now).ok()?;
        self.engine.render(variables).ok()
    }

    fn prompt(&self, messages: Vec<Message>) -> Option<String> {
        self.render(&conversation(messages))
    }

    fn prints(&self, messages: Vec<Message>, words: &str) -> bool {
        self.prompt(messages)
            .is_some_and(|prompt| prompt.contains(words))
    }

    /// A list that was printed as it is, or as JSON, was not understood.
    fn prints_parts(&self) -> bool {
        let part = Part::Text {
            text: SAID.to_owned(),
            extra: Fields::new(),
        };
        let prompt = self.prompt(vec![user(Content::Parts(vec![part]))]);
        prompt.is_some_and(|prompt| {
            let dumped = ["'text'", "\"text\""];
            prompt.contains(SAID) && !dumped.iter().any(|name| prompt.contains(name))
        })
    }

    fn takes_call(&self) -> bool {
        self.prompt(with_call()).is_some()
    }

    fn takes_call_text(&self) -> bool {
        let shape = Shape {
            arguments_as_text: true,
            ..self.shape
        };
        Probe { shape, ..*self }.takes_call()
    }

    /// Whether a call without content cannot be printed, or prints the word for nothing, and an empty text helps.
    fn fails_on_null(&self) -> bool {
        let mut messages = with_call();
        messages[1].content = None;
        let is_good = |probe: &Self| {
            let prompt = probe.prompt(messages.clone());
            prompt.is_some_and(|prompt| !prompt.contains("None"))
        };
        let shape = Shape {
            null_as_empty: true,
            ..self.shape
        };
        !is_good(self) && is_good(&Probe { shape, ..*self })
    }

    fn prints_late_system(&self) -> bool {
        let talk = vec![
            user(plain("hi")),
            said("assistant", plain("hello")),
            said("system", text()),
            user(plain("well?")),
        ];
        self.prints(talk, SAID)
    }
}

fn conversation(messages: Vec<Message>) -> Request {
    Request {
        prompt: Prompt::Messages(messages),
        ..Request::default()
    }
}

fn plain(words: &str) -> Content {
    Content::Text(words.to_owned())
}

fn text() -> Content {
    plain(SAID)
}

fn said(role: &str, content: Content) -> Message {
    Message {
        role: role.to_owned(),
        content: Some(content),
        ..Message::default()
    }
}

fn user(content: Content) -> Message {
    said("user", content)
}

fn with_call() -> Vec<Message> {
    let mut assistant = said("assistant", plain(""));
    assistant.tool_calls.push(ToolCall {
        // Mistral's templates want exactly nine letters or digits.
        id: "call00001".to_owned(),
        name: "look_up".to_owned(),
        arguments: r#"{"key": "value"}"#.to_owned(),
        extra: Fields::new(),
    });
    vec![user(plain("hi")), assistant]
}
