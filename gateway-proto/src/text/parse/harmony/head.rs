//! The head of a message.

use super::super::ahead::{Ahead, Miss, Seen};

/// What begins a head; the first message's begins behind its role.
pub(super) const BEGINNINGS: [&str; 2] = ["<|start|>", "<|channel|>"];
const CHANNEL: &str = "<|channel|>";
const CONSTRAIN: &str = "<|constrain|>";
const MESSAGE: &str = "<|message|>";
/// The longest head, in bytes.
const LONGEST: usize = 512;

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// For the reader.
    Text,
    /// Reasoning.
    Reasoning,
    /// A call of this tool.
    Call(String),
}

/// Takes a head, `<|message|>` included.
pub(super) fn take(ahead: &mut Ahead<'_>) -> Seen<Kind> {
    let begun = ahead.either(&["<|start|>", "<|channel|>", "<|message|>", " to=", "to="])?;
    let mut start = *ahead;
    let (mut role, mut channel) = (String::new(), None);
    if begun > 0 {
        role.push_str("assistant");
    }
    match begun {
        1 => channel = Some(String::new()),
        2 => return Ok(Kind::Text),
        3 | 4 => role.push_str(" to="),
        _ => {}
    }
    loop {
        let words = start.run(LONGEST, |c| c != '<')?;
        channel.as_mut().unwrap_or(&mut role).push_str(words);
        if start.taken() > ahead.taken() + LONGEST {
            return Err(Miss::Never);
        }
        match start.either(&[MESSAGE, CHANNEL, CONSTRAIN])? {
            0 => break,
            1 if channel.is_none() => channel = Some(String::new()),
            1 => return Err(Miss::Never),
            _ => channel.as_mut().unwrap_or(&mut role).push(' '),
        }
    }
    *ahead = start;
    kind(&role, channel.as_deref().unwrap_or_default())
}

fn kind(role: &str, channel: &str) -> Seen<Kind> {
    if !role.trim_start().starts_with("assistant") {
        return Err(Miss::Never);
    }
    let words = || role.split_whitespace().chain(channel.split_whitespace());
    let recipient = words().find_map(|word| word.strip_prefix("to="));
    match recipient {
        Some("assistant" | "user" | "all") | None => {}
        Some(tool) => return call(tool.strip_prefix("functions.").unwrap_or(tool)),
    }
    Ok(match channel.split_whitespace().next() {
        Some("analysis") => Kind::Reasoning,
        _ => Kind::Text,
    })
}

fn call(name: &str) -> Seen<Kind> {
    if name.is_empty() {
        return Err(Miss::Never);
    }
    Ok(Kind::Call(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Seen<Kind> {
        take(&mut Ahead::new(text))
    }

    #[test]
    fn recipients_stand_before_or_behind_the_channel() {
        let call = || Ok(Kind::Call("f".into()));
        for head in [
            "<|channel|>commentary to=functions.f <|constrain|>json<|message|>",
            "<|channel|>commentary to=functions.f<|constrain|>json<|message|>",
            "<|channel|>analysis to=functions.f code<|message|>",
            "<|start|>assistant to=functions.f<|channel|>commentary json<|message|>",
            " to=functions.f<|channel|>commentary<|message|>",
            "<|start|>assistant<|channel|>commentary to=f<|message|>",
        ] {
            assert_eq!(read(head), call(), "{head}");
        }
    }

    #[test]
    fn heads_are_short_and_of_the_assistant() {
        let long = format!("<|channel|>{}", "x".repeat(600));
        for head in [
            "<|start|>user<|message|>",
            "<|channel|>final<|end|>",
            "<|channel|>a<|channel|>b<|message|>",
            "<|channel|>commentary to=functions.<|message|>",
            "Hello",
            &long,
        ] {
            assert_eq!(read(head), Err(Miss::Never), "{head}");
        }
        assert_eq!(read("<|channel|>final<|mess"), Err(Miss::More));
    }
}
