//! `json.loads`: JSON text straight to template values, every digit kept.

use minijinja::value::Value;

use super::number;
use super::{Dict, List};

/// Deepest nesting; the work on a value is recursive, here and in templates.
const DEEPEST: usize = 128;

/// Reads one JSON value; `None` for broken JSON and for nesting over 128.
pub(in super::super) fn loads(text: &str) -> Option<Value> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.blank();
    (reader.at == text.len()).then_some(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        let rest = self.text.get(self.at..)?;
        self.at += word.len();
        rest.starts_with(word).then_some(value)
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.blank();
        match self.peek()? {
            b'{' if depth < DEEPEST => self.object(depth + 1),
            b'[' if depth < DEEPEST => self.array(depth + 1),
            b'"' => Some(match self.string()? {
                Text::Plain(text) => Value::from(text),
                Text::Unescaped(text) => Value::from(text),
            }),
            b't' => self.word("true", Value::from(true)),
            b'f' => self.word("false", Value::from(false)),
            b'n' => self.word("null", Value::from(())),
            b'-' | b'0'..=b'9' => self.number(),
            _ => None,
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut dict = Dict::default();
        self.blank();
        if self.eat(b'}') {
            return Some(Value::from_object(dict));
        }
        loop {
            self.blank();
            if self.peek() != Some(b'"') {
                return None;
            }
            let key = match self.string()? {
                Text::Plain(text) => text.to_owned(),
                Text::Unescaped(text) => text,
            };
            self.blank();
            if !self.eat(b':') {
                return None;
            }
            dict.set(key, self.value(depth)?);
            self.blank();
            if self.eat(b'}') {
                return Some(Value::from_object(dict));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut items = Vec::new();
        self.blank();
        if self.eat(b']') {
            return Some(List::value(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.blank();
            if self.eat(b']') {
                return Some(List::value(items));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }

    fn number(&mut self) -> Option<Value> {
        let from = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        let whole = self.at;
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _signed = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        let text = &self.text[from..self.at];
        if self.at == whole {
            return Some(number::integer(text));
        }
        text.parse().ok().map(number::float)
    }

    fn string(&mut self) -> Option<Text<'a>> {
        let from = self.at + 1;
        let rest = &self.text.as_bytes()[from..];
        let plain = rest
            .iter()
            .position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f))?;
        if rest[plain] == b'"' {
            self.at = from + plain + 1;
            return Some(Text::Plain(&self.text[from..from + plain]));
        }
        self.at = from;
        self.unescape().map(Text::Unescaped)
    }

    fn unescape(&mut self) -> Option<String> {
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..)?;
            let stop = rest
                .bytes()
                .position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f))?;
            out.push_str(&rest[..stop]);
            self.at += stop + 1;
            match rest.as_bytes()[stop] {
                b'"' => return Some(out),
                b'\\' => out.push(self.escape()?),
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += 1;
        Some(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code(),
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        let all = digits.bytes().all(|b| b.is_ascii_hexdigit());
        all.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    }

    /// A `\u` escape, or two of a pair. Half a pair is no character: a replacement stands for it.
    fn code(&mut self) -> Option<char> {
        let first = self.hex()?;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                return char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            }
            self.at = back;
        }
        Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}

enum Text<'a> {
    Plain(&'a str),
    Unescaped(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_python_prints_what_it_loads() {
        for (json, text) in [
            (
                r#"{"a": [1, -0.0, 1e16, true, null], "b": {}}"#,
                "{'a': [1, -0.0, 1e+16, True, None], 'b': {}}",
            ),
            (r#""\u00e9\ud83d\ude00\n""#, "é😀\n"),
            (
                r#"["it's", "\"", "\u00a0", "x\u0301"]"#,
                "[\"it's\", '\"', '\\xa0', 'x\u{301}']",
            ),
            (r#"{"a": 1, "b": 2, "a": 3}"#, "{'a': 3, 'b': 2}"),
        ] {
            assert_eq!(loads(json).unwrap().to_string(), text);
        }
    }

    #[test]
    fn broken_and_deep_json_is_refused() {
        for json in [
            "", "{", "[1,]", "{\"a\"}", "01", "1.", "-", "\"\\x\"", "\"a\nb\"", "\"\\ud8", "nul",
            "1 2",
        ] {
            assert!(loads(json).is_none(), "{json}");
        }
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(loads(&deep(128)).is_some());
        assert!(loads(&deep(129)).is_none());
        assert_eq!(loads(r#""\ud800""#).unwrap().as_str(), Some("\u{fffd}"));
    }

    #[test]
    fn large_objects_find_their_members() {
        let members: Vec<String> = (0..40).map(|n| format!("\"k{n}\": {n}")).collect();
        let value = loads(&format!("{{{}}}", members.join(","))).unwrap();
        for n in 0..40 {
            assert_eq!(
                value.get_item(&Value::from(format!("k{n}"))).unwrap(),
                Value::from(n)
            );
        }
        assert_eq!(value.len(), Some(40));
    }
}
