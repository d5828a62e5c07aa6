//! The reader.

use super::super::ahead::{Ahead, Miss, Seen};
use super::super::escape::{push_escaped, push_quoted};
use super::{escape, scalar};

/// The deepest nesting of lists and dictionaries.
const DEEPEST: usize = 64;
/// The longest name of an argument, in bytes.
const LONGEST_NAME: usize = 256;

/// The arguments of one call, from behind its opening parenthesis on.
#[derive(Clone, Debug)]
pub(in super::super) struct Arguments {
    open: Vec<Frame>,
    expect: Expect,
}

/// How much of the text a step took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Took {
    /// So many bytes.
    Bytes(usize),
    /// So many bytes, the call's closing parenthesis last.
    Last(usize),
}

#[derive(Clone, Debug)]
struct Frame {
    kind: Kind,
    filled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Call,
    List,
    Tuple,
    Dict,
}

#[derive(Clone, Copy, Debug)]
enum Expect {
    /// An item of the innermost frame, or its end.
    Item,
    /// A value that must come.
    Value,
    /// The colon behind a key.
    Colon,
    /// A comma, or the end of the innermost frame.
    Comma,
    /// The rest of a string.
    Text(Text),
}

#[derive(Clone, Copy, Debug)]
struct Text {
    quotes: &'static str,
    raw: bool,
    key: bool,
}

impl Arguments {
    /// Begins the object.
    pub(in super::super) fn new(json: &mut String) -> Self {
        json.push('{');
        Self {
            open: vec![Frame {
                kind: Kind::Call,
                filled: false,
            }],
            expect: Expect::Item,
        }
    }

    /// Open brackets, the call's parenthesis among them.
    pub(in super::super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Takes what can be taken of `text` in one step and appends its JSON. After an error nothing is taken.
    pub(in super::super) fn step(&mut self, text: &str, json: &mut String) -> Seen<Took> {
        let mut ahead = Ahead::new(text);
        if let Expect::Text(string) = self.expect {
            self.text(string, &mut ahead, json)?;
            return Ok(Took::Bytes(ahead.taken()));
        }
        ahead.space();
        let next = ahead.peek()?;
        let frame = self
            .open
            .last()
            .expect("a call is open until its last step");
        match self.expect {
            Expect::Item | Expect::Comma if next == frame.kind.close() => {
                ahead.skip(1);
                return Ok(self.close(ahead.taken(), json));
            }
            Expect::Item => self.item(&mut ahead, json)?,
            Expect::Value => self.value(&mut ahead, json)?,
            Expect::Colon => {
                ahead.literal(":")?;
                json.push_str(": ");
                self.expect = Expect::Value;
            }
            Expect::Comma => {
                ahead.literal(",")?;
                self.expect = Expect::Item;
            }
            Expect::Text(_) => unreachable!("handled above"),
        }
        Ok(Took::Bytes(ahead.taken()))
    }

    fn close(&mut self, taken: usize, json: &mut String) -> Took {
        let frame = self.open.pop().expect("it was looked at");
        json.push(frame.kind.json_close());
        self.expect = Expect::Comma;
        if self.open.is_empty() {
            Took::Last(taken)
        } else {
            Took::Bytes(taken)
        }
    }

    fn item(&mut self, ahead: &mut Ahead<'_>, json: &mut String) -> Seen<()> {
        match self.open.last().map(|frame| frame.kind) {
            Some(Kind::Call) => {
                let name = argument_name(ahead)?;
                self.separate(json);
                push_quoted(json, name);
                json.push_str(": ");
                self.expect = Expect::Value;
                Ok(())
            }
            Some(Kind::Dict) => self.key(ahead, json),
            _ => self.value(ahead, json),
        }
    }

    /// The comma before an item, but the first one.
    fn separate(&mut self, json: &mut String) {
        let frame = self.open.last_mut().expect("items are inside something");
        if frame.filled {
            json.push_str(", ");
        }
        frame.filled = true;
    }

    fn key(&mut self, ahead: &mut Ahead<'_>, json: &mut String) -> Seen<()> {
        if let Some(string) = open_text(ahead, true)? {
            self.separate(json);
            json.push('"');
            self.expect = Expect::Text(string);
            return Ok(());
        }
        let key = take_scalar(ahead)?;
        self.separate(json);
        push_quoted(json, &key);
        self.expect = Expect::Colon;
        Ok(())
    }

    fn value(&mut self, ahead: &mut Ahead<'_>, json: &mut String) -> Seen<()> {
        let kind = match ahead.peek()? {
            '[' => Some(Kind::List),
            '(' => Some(Kind::Tuple),
            '{' => Some(Kind::Dict),
            _ => None,
        };
        if let Some(kind) = kind {
            return self.open(kind, ahead, json);
        }
        let string = open_text(ahead, false)?;
        let written = match string {
            Some(_) => "\"".to_owned(),
            None => take_scalar(ahead)?,
        };
        self.separate_value(json);
        json.push_str(&written);
        self.expect = string.map_or(Expect::Comma, Expect::Text);
        Ok(())
    }

    fn open(&mut self, kind: Kind, ahead: &mut Ahead<'_>, json: &mut String) -> Seen<()> {
        if self.open.len() > DEEPEST {
            return Err(Miss::Never);
        }
        ahead.skip(1);
        self.separate_value(json);
        json.push(if kind == Kind::Dict { '{' } else { '[' });
        self.open.push(Frame {
            kind,
            filled: false,
        });
        self.expect = Expect::Item;
        Ok(())
    }

    /// Values behind a name or key have their comma before that.
    fn separate_value(&mut self, json: &mut String) {
        if matches!(self.expect, Expect::Item) {
            self.separate(json);
        }
    }

    fn text(&mut self, string: Text, ahead: &mut Ahead<'_>, json: &mut String) -> Seen<()> {
        let quote = &string.quotes[..1];
        let rest = ahead.rest();
        let special = |c: char| c == '\\' || quote.starts_with(c);
        let mut taken = rest.find(special).unwrap_or(rest.len());
        if taken == 0 {
            match ahead.literal(string.quotes) {
                Ok(()) => {
                    json.push('"');
                    self.expect = if string.key {
                        Expect::Colon
                    } else {
                        Expect::Comma
                    };
                    return Ok(());
                }
                Err(Miss::More) => return Err(Miss::More),
                Err(Miss::Never) if rest.starts_with('\\') && !string.raw => {
                    return escape::take(ahead, json);
                }
                Err(Miss::Never) => taken = in_text(rest)?,
            }
        }
        push_escaped(json, &rest[..taken]);
        ahead.skip(taken);
        Ok(())
    }
}

/// The length of a quote that does not end its string, or of a backslash and what it protects in a raw string.
fn in_text(rest: &str) -> Seen<usize> {
    if !rest.starts_with('\\') {
        return Ok(1);
    }
    let protected = rest[1..].chars().next().ok_or(Miss::More)?;
    Ok(1 + protected.len_utf8())
}

impl Kind {
    fn close(self) -> char {
        match self {
            Self::Call | Self::Tuple => ')',
            Self::List => ']',
            Self::Dict => '}',
        }
    }

    fn json_close(self) -> char {
        match self {
            Self::Call | Self::Dict => '}',
            Self::List | Self::Tuple => ']',
        }
    }
}

/// The JSON of a text that is one literal, white space around it aside.
pub(in super::super) fn literal(text: &str) -> Option<String> {
    let mut reader = Arguments {
        open: vec![Frame {
            kind: Kind::List,
            filled: true,
        }],
        expect: Expect::Value,
    };
    let delimited = format!("{text}\n");
    let (mut rest, mut json) = (delimited.as_str(), String::new());
    let mut whole = false;
    while !whole && let Ok(Took::Bytes(bytes)) = reader.step(rest, &mut json) {
        rest = &rest[bytes..];
        whole = reader.open.len() == 1 && matches!(reader.expect, Expect::Comma);
    }
    (whole && rest.trim_start().is_empty()).then_some(json)
}

/// Takes `name=`; `name==` is no argument.
pub(in super::super) fn argument_name<'a>(ahead: &mut Ahead<'a>) -> Seen<&'a str> {
    if !is_name_start(ahead.peek()?) {
        return Err(Miss::Never);
    }
    let name = ahead.run(LONGEST_NAME, |c| c == '_' || c.is_alphanumeric())?;
    ahead.space();
    ahead.literal("=")?;
    match ahead.peek()? {
        '=' => Err(Miss::Never),
        _ => Ok(name),
    }
}

/// Whether Python's names begin so.
pub(in super::super) fn is_name_start(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

/// Takes the opening of a string, if one comes.
fn open_text(ahead: &mut Ahead<'_>, key: bool) -> Seen<Option<Text>> {
    let mut opening = *ahead;
    let prefix = opening.peek()?;
    if matches!(prefix, 'r' | 'R' | 'u' | 'U') {
        opening.skip(1);
    }
    let (one, three) = match opening.peek()? {
        '\'' => ("'", "'''"),
        '"' => ("\"", "\"\"\""),
        _ => return Ok(None),
    };
    let quotes = match opening.literal(three) {
        Ok(()) => three,
        Err(Miss::More) => return Err(Miss::More),
        Err(Miss::Never) => {
            opening.skip(1);
            one
        }
    };
    *ahead = opening;
    let raw = matches!(prefix, 'r' | 'R');
    Ok(Some(Text { quotes, raw, key }))
}

fn take_scalar(ahead: &mut Ahead<'_>) -> Seen<String> {
    let text = ahead.run(scalar::LONGEST, scalar::goes_on)?;
    scalar::to_json(text).ok_or(Miss::Never)
}
