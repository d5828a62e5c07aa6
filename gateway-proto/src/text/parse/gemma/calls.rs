//! The reader of one answer's calls.

use std::sync::Arc;

use super::super::ToolSpec;
use super::super::ahead::{Ahead, Miss, Seen};
use super::super::answer::{Calls, Step};
use super::super::cursor::Cursor;
use super::super::tags::find;
use super::object::{Object, Took};

const MARKERS: [&str; 2] = [GEMMA4.open, FUNCTION_GEMMA.open];
/// The longest name, in bytes.
const LONGEST_NAME: usize = 256;

/// What the two formats differ in.
#[derive(Debug)]
pub(super) struct Marks {
    open: &'static str,
    close: &'static str,
    /// Stands on both sides of a string.
    pub(super) quote: &'static str,
}

const GEMMA4: Marks = Marks {
    open: "<|tool_call>",
    close: "<tool_call|>",
    quote: "<|\"|>",
};

const FUNCTION_GEMMA: Marks = Marks {
    open: "<start_function_call>",
    close: "<end_function_call>",
    quote: "<escape>",
};

/// Reads the calls.
pub(in super::super) struct Gemma {
    tools: Arc<[ToolSpec]>,
    marks: &'static Marks,
    state: State,
}

enum State {
    Head,
    Arguments(Object),
    /// Behind whole arguments.
    Tail,
    Broken,
}

impl Gemma {
    /// The reader for a request with these tools.
    pub(in super::super) fn new(tools: Arc<[ToolSpec]>) -> Self {
        Self {
            tools,
            marks: &GEMMA4,
            state: State::Head,
        }
    }

    fn head(&mut self, cursor: &mut Cursor<'_>) -> Step {
        let mut ahead = Ahead::new(cursor.rest());
        match call_head(&mut ahead, self.marks.open) {
            Ok(name) => {
                cursor.source(ahead.taken());
                cursor.start(None, name.to_owned());
                cursor.write_arguments("{");
                let object = Object::new(self.marks, name, Arc::clone(&self.tools));
                self.state = State::Arguments(object);
                Step::On
            }
            Err(Miss::More) => Step::More,
            Err(Miss::Never) => Step::Not,
        }
    }

    fn arguments(&mut self, mut object: Object, cursor: &mut Cursor<'_>) -> Step {
        let rest = cursor.rest();
        let mut json = String::new();
        let took = object.step(rest, &mut json);
        cursor.write_arguments(&json);
        let (state, step) = match took {
            Ok(Took::Bytes(bytes)) => {
                cursor.source(bytes);
                (State::Arguments(object), Step::On)
            }
            Ok(Took::Last(bytes)) => {
                cursor.source(bytes);
                (State::Tail, Step::On)
            }
            Err(Miss::Never) => (State::Broken, Step::On),
            Err(Miss::More) => {
                if cursor.ended() {
                    cursor.arguments(rest.len());
                }
                (State::Arguments(object), Step::More)
            }
        };
        self.state = state;
        step
    }

    fn tail(&mut self, cursor: &mut Cursor<'_>) -> Step {
        let mut ahead = Ahead::new(cursor.rest());
        ahead.space();
        match ahead.literal(self.marks.close) {
            Ok(()) => cursor.source(ahead.taken()),
            Err(Miss::More) if !cursor.ended() => {
                self.state = State::Tail;
                return Step::More;
            }
            Err(Miss::More) => cursor.source(cursor.rest().len()),
            Err(Miss::Never) => {}
        }
        cursor.end();
        Step::Done
    }

    fn broken(&mut self, cursor: &mut Cursor<'_>) -> Step {
        let found = find(cursor.rest(), 0, &[self.marks.close], cursor.ended());
        cursor.arguments(found.certain);
        if found.which.is_none() {
            self.state = State::Broken;
            return Step::More;
        }
        cursor.source(self.marks.close.len());
        cursor.end();
        Step::Done
    }
}

impl Calls for Gemma {
    fn markers(&self) -> &[&'static str] {
        &MARKERS
    }

    fn ends_reasoning(&self) -> bool {
        true
    }

    fn open(&mut self, marker: &'static str) {
        self.marks = if marker == GEMMA4.open {
            &GEMMA4
        } else {
            &FUNCTION_GEMMA
        };
        self.state = State::Head;
    }

    fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        match std::mem::replace(&mut self.state, State::Head) {
            State::Head => self.head(cursor),
            State::Arguments(object) => self.arguments(object, cursor),
            State::Tail => self.tail(cursor),
            State::Broken => self.broken(cursor),
        }
    }
}

/// Takes `call:name{`; some checkpoints leave out the word.
fn call_head<'a>(ahead: &mut Ahead<'a>, open: &str) -> Seen<&'a str> {
    ahead.literal(open)?;
    ahead.space();
    ahead.either(&["call:", ":"])?;
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ':' | '/');
    let name = ahead.run(LONGEST_NAME, part)?;
    ahead.literal("{")?;
    if name.is_empty() {
        Err(Miss::Never)
    } else {
        Ok(name)
    }
}
