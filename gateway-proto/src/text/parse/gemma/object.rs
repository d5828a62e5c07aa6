//! Gemma's own notation of objects.

use std::sync::Arc;

use super::super::ToolSpec;
use super::super::ahead::{Ahead, Miss, Seen};
use super::super::escape::{push_escaped, push_quoted};
use super::super::tags::find;
use super::super::typed::{Types, convert, of_parameter};
use super::calls::Marks;

/// The deepest nesting.
const DEEPEST: usize = 64;
/// The longest key, in bytes.
const LONGEST_KEY: usize = 256;
/// The longest bare value, in bytes.
const LONGEST_BARE: usize = 4096;

/// The arguments of one call, from behind the opening brace on.
pub(super) struct Object {
    marks: &'static Marks,
    tool: String,
    tools: Arc<[ToolSpec]>,
    /// The type of the argument whose value comes.
    types: Types,
    open: Vec<Frame>,
    expect: Expect,
}

/// How much of the text a step took.
pub(super) enum Took {
    /// So many bytes.
    Bytes(usize),
    /// So many bytes, the closing brace last.
    Last(usize),
}

struct Frame {
    list: bool,
    filled: bool,
}

#[derive(Clone, Copy)]
enum Expect {
    Item,
    Value,
    Comma,
    /// The rest of a string.
    Text,
}

impl Object {
    pub(super) fn new(marks: &'static Marks, tool: &str, tools: Arc<[ToolSpec]>) -> Self {
        Self {
            marks,
            tool: tool.to_owned(),
            tools,
            types: Types::ANY,
            open: vec![Frame {
                list: false,
                filled: false,
            }],
            expect: Expect::Item,
        }
    }

    /// Takes what can be taken of `text` in one step and appends its JSON. After an error nothing is taken.
    pub(super) fn step(&mut self, text: &str, json: &mut String) -> Seen<Took> {
        let mut ahead = Ahead::new(text);
        if matches!(self.expect, Expect::Text) {
            self.text(&mut ahead, json)?;
            return Ok(Took::Bytes(ahead.taken()));
        }
        ahead.space();
        let next = ahead.peek()?;
        let list = self.open.last().is_some_and(|frame| frame.list);
        match self.expect {
            Expect::Item | Expect::Comma if next == if list { ']' } else { '}' } => {
                ahead.skip(1);
                json.push(next);
                self.open.pop();
                self.expect = Expect::Comma;
                if self.open.is_empty() {
                    return Ok(Took::Last(ahead.taken()));
                }
            }
            Expect::Comma => {
                ahead.literal(",")?;
                self.expect = Expect::Item;
            }
            Expect::Item if !list => self.key(&mut ahead, json)?,
            _ => self.value(&mut ahead, json)?,
        }
        Ok(Took::Bytes(ahead.taken()))
    }

    fn key(&mut self, ahead: &mut Ahead<'_>, json: &mut String) -> Seen<()> {
        let quote = self.marks.quote;
        let quoted = match ahead.literal(quote) {
            Ok(()) => true,
            Err(Miss::Never) => false,
            Err(Miss::More) => return Err(Miss::More),
        };
        let part = |c: char| !matches!(c, ':' | ',' | '{' | '}' | '[' | ']' | '<');
        let key = ahead.run(LONGEST_KEY, part)?.trim();
        if quoted {
            ahead.literal(quote)?;
            ahead.space();
        }
        ahead.literal(":")?;
        if key.is_empty() {
            return Err(Miss::Never);
        }
        if self.open.len() == 1 {
            self.types = match of_parameter(&self.tools, &self.tool, key) {
                Types::UNKNOWN => Types::ANY,
                types => types,
            };
        }
        self.separate(json);
        push_quoted(json, key);
        json.push_str(": ");
        self.expect = Expect::Value;
        Ok(())
    }

    /// The comma before an item, but the first one.
    fn separate(&mut self, json: &mut String) {
        let frame = self.open.last_mut().expect("items are inside something");
        if frame.filled {
            json.push_str(", ");
        }
        frame.filled = true;
    }

    fn value(&mut self, ahead: &mut Ahead<'_>, json: &mut String) -> Seen<()> {
        let opening = ahead.peek()?;
        let quoted = match ahead.literal(self.marks.quote) {
            Err(Miss::More) => return Err(Miss::More),
            seen => seen.is_ok(),
        };
        let written = match opening {
            _ if quoted => "\"".to_owned(),
            '{' | '[' if self.open.len() > DEEPEST => return Err(Miss::Never),
            '{' | '[' => {
                ahead.skip(1);
                opening.to_string()
            }
            _ => self.bare(ahead)?,
        };
        if matches!(self.expect, Expect::Item) {
            self.separate(json);
        }
        json.push_str(&written);
        self.expect = match opening {
            _ if quoted => Expect::Text,
            '{' | '[' => {
                self.open.push(Frame {
                    list: opening == '[',
                    filled: false,
                });
                Expect::Item
            }
            _ => Expect::Comma,
        };
        Ok(())
    }

    fn bare(&self, ahead: &mut Ahead<'_>) -> Seen<String> {
        let bare = ahead.run(LONGEST_BARE, |c| {
            !matches!(c, ',' | '{' | '}' | '[' | ']' | '<')
        })?;
        let bare = bare.trim();
        let types = if self.open.len() == 1 {
            self.types
        } else {
            Types::ANY
        };
        match bare.as_bytes().first() {
            None => Err(Miss::Never),
            Some(b'"') if serde_json::from_str::<String>(bare).is_ok() => Ok(bare.to_owned()),
            Some(_) => Ok(convert(types, bare)),
        }
    }

    fn text(&mut self, ahead: &mut Ahead<'_>, json: &mut String) -> Seen<()> {
        let rest = ahead.rest();
        let found = find(rest, 0, &[self.marks.quote], false);
        if found.certain == 0 && found.which.is_none() {
            return Err(Miss::More);
        }
        push_escaped(json, &rest[..found.certain]);
        ahead.skip(found.certain);
        if found.which.is_some() {
            json.push('"');
            ahead.skip(self.marks.quote.len());
            self.expect = Expect::Comma;
        }
        Ok(())
    }
}
