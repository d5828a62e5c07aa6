//! Parts of messages that are not text.

use crate::ir::{Content, Fields, Part, Prompt, Request};

/// A part that token mode cannot render.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaPart {
    /// Where it is, as `messages[1].content[0]`.
    pub path: String,
    /// Its type, as `image_url`; empty where it has none.
    pub kind: String,
}

/// The first part of a conversation that is not text: an image, audio, a video, a file.
#[must_use]
pub fn first_media(request: &Request) -> Option<MediaPart> {
    let Prompt::Messages(messages) = &request.prompt else {
        return None;
    };
    let parts = messages.iter().enumerate().flat_map(|(at, message)| {
        let parts = match &message.content {
            Some(Content::Parts(parts)) => parts.as_slice(),
            _ => &[],
        };
        parts
            .iter()
            .enumerate()
            .map(move |(nth, part)| (at, nth, part))
    });
    let mut media = parts.filter_map(|(at, nth, part)| match part {
        Part::Text { .. } => None,
        Part::Other(fields) => Some(MediaPart {
            path: format!("messages[{at}].content[{nth}]"),
            kind: kind(fields),
        }),
    });
    media.next()
}

fn kind(part: &Fields) -> String {
    let named: Option<String> = part
        .raw("type")
        .and_then(|raw| serde_json::from_str(raw).ok());
    named.unwrap_or_default()
}
