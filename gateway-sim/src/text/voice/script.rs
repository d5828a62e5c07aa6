//! What a model that obeys says to which prompt.

use regex::Regex;
use serde::Deserialize;

use super::VoiceError;

/// Rules, of which the first that fits answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// What opens the assistant's turn in a rendered prompt, such as `<|im_start|>assistant\n`. What stands behind its
    /// last place is the answer so far, which is continued. None leaves it to the model's template.
    #[serde(default)]
    pub opening: Option<String>,
    /// The rules.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Looked for in the prompt's text up to the answer; the last place counts.
    #[serde(deserialize_with = "regex")]
    pub when: Regex,
    /// The rule does not fit where this is found.
    #[serde(default, deserialize_with = "some_regex")]
    pub unless: Option<Regex>,
    /// The answer, special tokens written as their text; `$1` and `${name}` stand for what `when` captured.
    pub reply: String,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// Where it is not of this form.
    pub fn parse(json: &[u8]) -> Result<Self, VoiceError> {
        serde_json::from_slice(json).map_err(VoiceError::Script)
    }

    /// A script without rules: the model makes up its answers.
    #[must_use]
    pub fn empty(opening: impl Into<String>) -> Self {
        Self {
            opening: Some(opening.into()),
            rules: Vec::new(),
        }
    }

    /// The prompt up to its answer, and the answer so far.
    #[must_use]
    pub fn split<'a>(&self, prompt: &'a str) -> (&'a str, &'a str) {
        let opening = self.opening.as_deref().filter(|text| !text.is_empty());
        let end = |opening: &str| Some(prompt.rfind(opening)? + opening.len());
        prompt.split_at(opening.and_then(end).unwrap_or(prompt.len()))
    }

    /// What the first rule that fits says.
    #[must_use]
    pub fn reply(&self, prompt: &str) -> Option<String> {
        self.rules.iter().find_map(|rule| {
            let fits = rule
                .unless
                .as_ref()
                .is_none_or(|unless| !unless.is_match(prompt));
            let captures = rule.when.captures_iter(prompt).last().filter(|_| fits)?;
            let mut reply = String::new();
            captures.expand(&rule.reply, &mut reply);
            Some(reply)
        })
    }
}

fn regex<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Regex, D::Error> {
    let text = String::deserialize(deserializer)?;
    Regex::new(&text).map_err(serde::de::Error::custom)
}

fn some_regex<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Regex>, D::Error> {
    regex(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_answers_with_what_it_captured() {
        let script = Script::parse(
            br#"{"opening": "<a>", "rules": [
                {"when": "weather in (\\w+)", "unless": "sunny", "reply": "call $1"},
                {"when": "sunny", "reply": "So it is."}]}"#,
        )
        .expect("a script");
        let say = |prompt: &str| script.reply(prompt);
        assert_eq!(
            say("weather in Oslo? weather in Rome?").as_deref(),
            Some("call Rome")
        );
        assert_eq!(
            say("weather in Oslo? It is sunny.").as_deref(),
            Some("So it is.")
        );
        assert_eq!(say("Hello"), None);
        assert_eq!(script.split("x<a>y<a>so far"), ("x<a>y<a>", "so far"));
        assert_eq!(script.split("no answer"), ("no answer", ""));
    }
}
