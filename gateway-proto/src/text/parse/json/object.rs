//! The object that describes a call.

use std::ops::Range;

use super::super::scan::is_space;
use super::{Scan, ValueScanner};

/// The most bytes of an object that are held until it is known to be a call. Only arguments that stand before the name
/// come near it.
const MOST_HELD: usize = 64 * 1024;

/// Reads an object with a name and arguments, in any order, from text that grows at its end.
#[derive(Clone, Debug)]
pub(in super::super) struct ObjectReader {
    /// Up to here the text is read.
    at: usize,
    /// Where the current key or value begins.
    from: usize,
    state: State,
    key: Key,
    scanner: ValueScanner,
    /// Whether only a call's own keys are accepted, and arguments are required.
    strict: bool,
    name: Option<String>,
    id: Option<String>,
    arguments: Option<Range<usize>>,
    /// Whether the arguments went out already.
    begun: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    KeyOrEnd,
    InKey,
    Colon,
    Value,
    InValue,
    Next,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Name,
    Id,
    Arguments,
    Other,
}

/// What is known of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Found {
    /// Nothing yet.
    More,
    /// It is no call.
    Not,
    /// The name is known, and an object of arguments begins here.
    Arguments(usize),
    /// The object ends here.
    Whole(usize),
}

impl ObjectReader {
    /// Accepts further keys, and calls without arguments: for objects between tags of their own.
    pub(in super::super) fn lenient() -> Self {
        Self::new(false)
    }

    /// Accepts nothing but a call: for objects that could as well be the answer itself.
    pub(in super::super) fn strict() -> Self {
        Self::new(true)
    }

    fn new(strict: bool) -> Self {
        Self {
            at: 0,
            from: 0,
            state: State::Open,
            key: Key::Other,
            scanner: ValueScanner::default(),
            strict,
            name: None,
            id: None,
            arguments: None,
            begun: false,
        }
    }

    /// The arguments went out: from now on the text begins right after them.
    pub(in super::super) fn resume(&mut self) {
        self.at = 0;
        self.state = State::Next;
        self.begun = true;
    }

    /// The function, and the id where the object has one.
    pub(in super::super) fn take_names(&mut self) -> Option<(Option<String>, String)> {
        Some((self.id.take(), self.name.take()?))
    }

    /// The arguments of a whole object as JSON text: `{}` where there are none, and the content where the model put an
    /// object into a string.
    pub(in super::super) fn whole_arguments(&self, text: &str) -> String {
        let raw = self.arguments.clone().map_or("null", |range| &text[range]);
        if raw == "null" {
            return "{}".to_owned();
        }
        let inner = serde_json::from_str::<String>(raw);
        match inner {
            Ok(inner) if inner.trim_start().starts_with('{') => inner,
            _ => raw.to_owned(),
        }
    }

    /// Reads on in `text`, which begins with the same bytes each time.
    pub(in super::super) fn read(&mut self, text: &str) -> Found {
        let limit = text.len().min(MOST_HELD);
        while self.at < limit {
            if let Some(found) = self.advance(text, limit) {
                return found;
            }
        }
        if limit == MOST_HELD {
            Found::Not
        } else {
            Found::More
        }
    }

    fn advance(&mut self, text: &str, limit: usize) -> Option<Found> {
        let byte = text.as_bytes()[self.at];
        match self.state {
            State::InKey | State::InValue => return self.scan(text, limit),
            _ if is_space(byte) && self.state != State::Open => {}
            State::Open if byte == b'{' => self.state = State::KeyOrEnd,
            State::KeyOrEnd if byte == b'"' => {
                self.begin(State::InKey);
                return None;
            }
            State::KeyOrEnd | State::Next if byte == b'}' => return Some(self.whole()),
            State::Next if byte == b',' => self.state = State::KeyOrEnd,
            State::Colon if byte == b':' => self.state = State::Value,
            State::Value if byte == b'{' && self.may_begin() => {
                return Some(Found::Arguments(self.at));
            }
            State::Value => {
                self.begin(State::InValue);
                return None;
            }
            _ => return Some(Found::Not),
        }
        self.at += 1;
        None
    }

    fn may_begin(&self) -> bool {
        self.key == Key::Arguments && self.name.is_some() && !self.begun
    }

    fn begin(&mut self, state: State) {
        self.state = state;
        self.from = self.at;
        self.scanner = ValueScanner::default();
    }

    fn whole(&self) -> Found {
        let complete = self.name.is_some() && (self.arguments.is_some() || !self.strict);
        if complete || self.begun {
            Found::Whole(self.at + 1)
        } else {
            Found::Not
        }
    }

    fn scan(&mut self, text: &str, limit: usize) -> Option<Found> {
        match self.scanner.feed(&text.as_bytes()[self.at..limit]) {
            Scan::Open => {
                self.at = limit;
                None
            }
            Scan::Broken(_) => Some(Found::Not),
            Scan::Ended(bytes) => {
                self.at += bytes;
                let known = match self.state {
                    State::InKey => self.end_key(&text[self.from..self.at]),
                    _ => self.end_value(&text[self.from..self.at]),
                };
                known.is_none().then_some(Found::Not)
            }
        }
    }

    fn end_key(&mut self, raw: &str) -> Option<()> {
        let key: String = serde_json::from_str(raw).ok()?;
        self.state = State::Colon;
        self.key = match key.as_str() {
            "name" => Key::Name,
            "id" => Key::Id,
            "arguments" | "parameters" => Key::Arguments,
            "type" => Key::Other,
            _ if self.strict => return None,
            _ => Key::Other,
        };
        Some(())
    }

    fn end_value(&mut self, raw: &str) -> Option<()> {
        self.state = State::Next;
        match self.key {
            _ if self.begun => {}
            Key::Name => {
                let name: String = serde_json::from_str(raw).ok()?;
                self.name = Some(name).filter(|name| !name.is_empty());
                self.name.as_ref()?;
            }
            Key::Id => self.id = serde_json::from_str(raw).ok(),
            Key::Arguments => self.arguments = Some(self.from..self.at),
            Key::Other => {}
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_comes_first_and_the_arguments_begin() {
        let text = r#"{ "type":"function","name" : "f", "parameters": {"a"#;
        let mut reader = ObjectReader::strict();
        assert_eq!(reader.read(text), Found::Arguments(text.len() - 3));
        assert_eq!(reader.take_names(), Some((None, "f".to_owned())));
        reader.resume();
        assert_eq!(reader.read(r#", "x": {"name":1}}"#), Found::Not);
    }

    #[test]
    fn arguments_before_the_name_wait_for_it() {
        let text = r#"{"arguments": {"a": "}"}, "name": "f", "id": "7"} rest"#;
        let mut reader = ObjectReader::lenient();
        for end in 0..text.len() - 5 {
            assert_eq!(reader.read(&text[..end]), Found::More);
        }
        assert_eq!(reader.read(text), Found::Whole(text.len() - 5));
        assert_eq!(reader.whole_arguments(text), r#"{"a": "}"}"#);
        assert_eq!(
            reader.take_names(),
            Some((Some("7".to_owned()), "f".to_owned()))
        );
    }

    #[test]
    fn what_is_no_call_is_told_at_once() {
        for text in [
            r#"{"city""#,
            r#"{"name": 1,"#,
            r#"{"name": ""}"#,
            r#"{"name": "f"}"#,
            "[",
            "{1",
        ] {
            assert_eq!(ObjectReader::strict().read(text), Found::Not, "{text}");
        }
        assert_eq!(
            ObjectReader::lenient().read(r#"{"city": 1, "name": "f"}"#),
            Found::Whole(24)
        );
    }

    #[test]
    fn what_is_held_is_bounded() {
        let text = format!(r#"{{"arguments": "{}"#, "a".repeat(MOST_HELD));
        assert_eq!(ObjectReader::lenient().read(&text), Found::Not);
    }

    #[test]
    fn arguments_in_a_string_are_taken_out() {
        let text = r#"{"name": "f", "arguments": "{\"a\": 1}"}"#;
        let mut reader = ObjectReader::lenient();
        assert_eq!(reader.read(text), Found::Whole(text.len()));
        assert_eq!(reader.whole_arguments(text), r#"{"a": 1}"#);
    }
}
