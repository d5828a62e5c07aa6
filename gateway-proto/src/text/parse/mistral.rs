//! `[TOOL_CALLS]`: Mistral.
//!
//! Tokenizers before version 11 write an array of objects after it; later ones repeat it before each call and write
//! `name{..}`, `name[ARGS]{..}` or `name[CALL_ID]id[ARGS]{..}`. A version need not be configured, as the forms differ in
//! their first characters.

use super::ahead::{Ahead, Miss, Seen};
use super::answer::{Calls, Step};
use super::cursor::Cursor;
use super::json::{Arguments, JsonList};
use super::section::Head;

const CALLS: &str = "[TOOL_CALLS]";

/// The longest name and the longest id, in bytes.
const LONGEST_NAME: usize = 256;

/// The longest stretch from the marker to the arguments, in bytes.
const LONGEST_HEAD: usize = 1_024;

/// Reads the calls.
#[derive(Default)]
pub(super) struct Mistral {
    list: JsonList,
    marker: &'static str,
    phase: Phase,
}

#[derive(Debug, Default)]
enum Phase {
    /// Array or name: not known yet.
    #[default]
    Open,
    List,
    Arguments(Arguments),
}

impl Mistral {
    fn head(&mut self, cursor: &mut Cursor<'_>) -> Step {
        let rest = cursor.rest();
        let mut ahead = Ahead::new(rest);
        match form(&mut ahead) {
            Err(Miss::More) if rest.len() <= LONGEST_HEAD => Step::More,
            Ok(None) => {
                self.phase = Phase::List;
                Step::On
            }
            Ok(Some(head)) if ahead.taken() <= LONGEST_HEAD => {
                cursor.source(ahead.taken());
                cursor.start(head.id.map(ToOwned::to_owned), head.name.to_owned());
                self.phase = Phase::Arguments(Arguments::default());
                Step::On
            }
            _ => Step::Not,
        }
    }
}

/// The head of a call that is no JSON object, or `None` for JSON.
fn form<'a>(ahead: &mut Ahead<'a>) -> Seen<Option<Head<'a>>> {
    ahead.literal(CALLS)?;
    ahead.space();
    if matches!(ahead.peek()?, '[' | '{') {
        return Ok(None);
    }
    let name = ahead.word(LONGEST_NAME)?;
    ahead.space();
    let mut id = None;
    if ahead.peek()? == '[' && ahead.either(&["[ARGS]", "[CALL_ID]"])? == 1 {
        ahead.space();
        id = Some(ahead.word(LONGEST_NAME)?);
        ahead.space();
        ahead.literal("[ARGS]")?;
    }
    ahead.space();
    if ahead.peek()? != '{' {
        return Err(Miss::Never);
    }
    Ok(Some(Head { id, name }))
}

impl Calls for Mistral {
    fn markers(&self) -> &[&'static str] {
        &[CALLS]
    }

    fn leading(&self) -> &[&'static str] {
        self.list.leading().unwrap_or_default()
    }

    fn open(&mut self, marker: &'static str) {
        self.marker = marker;
        self.list.open();
        self.phase = if marker == CALLS {
            Phase::Open
        } else {
            Phase::List
        };
    }

    fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        match &mut self.phase {
            Phase::Open => self.head(cursor),
            Phase::List => self.list.step(cursor, self.marker, false),
            Phase::Arguments(arguments) => arguments.step(cursor, Some(CALLS)),
        }
    }
}
