//! Where a JSON value ends.

/// The deepest nesting that is followed; deeper values count as broken.
const MOST_DEPTH: u32 = 128;

/// Finds the end of a JSON value in bytes that come in pieces. It checks strings, nesting and that nothing but JSON's
/// own characters stands between them; numbers, commas and colons are the reader's business.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct ValueScanner {
    /// One bit for each open bracket, 1 for an object; the innermost is the lowest.
    open: u128,
    depth: u32,
    place: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Start,
    Between,
    String,
    Escape,
    /// A number or a word that is the whole value.
    Scalar,
}

/// What a scan found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Scan {
    /// The value ends before this byte.
    Ended(usize),
    /// It goes on.
    Open,
    /// This byte belongs to no JSON value.
    Broken(usize),
}

impl ValueScanner {
    /// Reads on; not to be called again after the end.
    pub(in super::super) fn feed(&mut self, bytes: &[u8]) -> Scan {
        let mut at = 0;
        while at < bytes.len() {
            match self.place {
                Place::String => match memchr::memchr2(b'"', b'\\', &bytes[at..]) {
                    None => return Scan::Open,
                    Some(skip) => {
                        at += skip + 1;
                        if bytes[at - 1] == b'\\' {
                            self.place = Place::Escape;
                        } else if self.close_string() {
                            return Scan::Ended(at);
                        }
                        continue;
                    }
                },
                Place::Escape => self.place = Place::String,
                Place::Scalar if !is_word(bytes[at]) => return Scan::Ended(at),
                Place::Scalar => {}
                Place::Start | Place::Between => match self.token(bytes[at]) {
                    Token::Fine => {}
                    Token::Last => return Scan::Ended(at + 1),
                    Token::Wrong => return Scan::Broken(at),
                },
            }
            at += 1;
        }
        Scan::Open
    }

    fn close_string(&mut self) -> bool {
        self.place = Place::Between;
        self.depth == 0
    }

    fn token(&mut self, byte: u8) -> Token {
        match byte {
            b'"' => self.place = Place::String,
            b'{' | b'[' if self.depth == MOST_DEPTH => return Token::Wrong,
            b'{' | b'[' => {
                self.open = self.open << 1 | u128::from(byte == b'{');
                self.depth += 1;
                self.place = Place::Between;
            }
            b'}' | b']' => return self.close(byte == b'}'),
            byte if super::super::scan::is_space(byte) => {}
            byte if is_word(byte) && self.depth == 0 => self.place = Place::Scalar,
            b':' | b',' if self.depth > 0 => {}
            byte if is_word(byte) => {}
            _ => return Token::Wrong,
        }
        Token::Fine
    }

    fn close(&mut self, object: bool) -> Token {
        if self.depth == 0 || (self.open & 1 == 1) != object {
            return Token::Wrong;
        }
        self.open >>= 1;
        self.depth -= 1;
        if self.depth == 0 {
            Token::Last
        } else {
            Token::Fine
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Fine,
    Last,
    Wrong,
}

/// Numbers, `true`, `false`, `null`.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scan(text: &str) -> Scan {
        ValueScanner::default().feed(text.as_bytes())
    }

    #[test]
    fn ends_are_found() {
        for (value, rest) in [
            (r#"{"a":{"b":[1,"}]"]}}"#, "}"),
            (r#""a\"\\""#, "\""),
            ("-1.5e+3", ","),
            ("null", " "),
            (" [ ]", "]"),
        ] {
            assert_eq!(
                scan(&format!("{value}{rest}")),
                Scan::Ended(value.len()),
                "{value}"
            );
        }
        assert_eq!(scan(r#"{"a":"}"#), Scan::Open);
        for broken in ["{]", "[}", "<", "{'a'", "{\"a\":<", "}"] {
            assert!(matches!(scan(broken), Scan::Broken(_)), "{broken}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert_eq!(scan(&"[".repeat(128)), Scan::Open);
        assert_eq!(scan(&"[".repeat(129)), Scan::Broken(128));
    }

    proptest! {
        #[test]
        fn valid_json_ends_where_it_ends(value in value(), rest in "[,}\\] \n]") {
            let text = value.to_string();
            let mut scanner = ValueScanner::default();
            for byte in text.bytes().take(text.len() - 1) {
                prop_assert_eq!(scanner.feed(&[byte]), Scan::Open);
            }
            let tail = [text.as_bytes()[text.len() - 1], rest.as_bytes()[0]];
            prop_assert_eq!(scanner.feed(&tail), Scan::Ended(1));
        }
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i32>().prop_map(Into::into),
            any::<f32>().prop_map(Into::into),
            "\\PC{0,8}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::hash_map("[a-z\"\\\\{}]{0,4}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
