//! Prompts that end within the final message, for the model to go on there.
//!
//! As `transformers` does it: a mark is put behind the final content, and the prompt is cut where the mark comes out.

use super::TemplateError;
use crate::ir::{Content, Message, Part, Prompt, Request};

/// Put behind the final content while it is rendered.
pub(super) const MARK: &str = "CONTINUE_FINAL_MESSAGE_TAG ";

/// The text that is to be continued.
pub(super) fn final_text<'a>(request: &'a Request, source: &str) -> Result<&'a str, TemplateError> {
    let Prompt::Messages(messages) = &request.prompt else {
        return Err(TemplateError::NoConversation);
    };
    let last = messages
        .last()
        .ok_or(TemplateError::Continue("there is none"))?;
    let text = content(last)?;
    if source.contains("content") {
        Ok(text)
    } else {
        Err(TemplateError::Continue("the template reads no content"))
    }
}

fn content(message: &Message) -> Result<&str, TemplateError> {
    match &message.content {
        None => Err(TemplateError::Continue("it has no content")),
        Some(Content::Text(text)) => Ok(text),
        Some(Content::Parts(parts)) => {
            let text = parts.iter().rev().find_map(|part| match part {
                Part::Text { text, .. } => Some(text.as_str()),
                Part::Other(_) => None,
            });
            text.ok_or(TemplateError::Continue("it has no text"))
        }
    }
}

/// Cuts the prompt behind `text`.
pub(super) fn cut(mut prompt: String, text: &str) -> Result<String, TemplateError> {
    let bare = MARK.trim_end();
    let place = prompt.rfind(bare).filter(|_| prompt.contains(text.trim()));
    let Some(at) = place else {
        return Err(TemplateError::Continue(
            "it does not appear in the rendered prompt",
        ));
    };
    // Where the template trimmed the content, it trimmed behind the mark.
    let trimmed = !prompt[at..].starts_with(MARK);
    prompt.truncate(at);
    if trimmed {
        prompt.truncate(prompt.trim_end().len());
    }
    Ok(prompt)
}
