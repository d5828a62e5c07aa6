//! `[name(key=value, ..), ..]`: a list of Python calls. Llama 3.2, Llama 4 and models prompted for it.
//!
//! A bare list counts where no text stands before it, as in vLLM: brackets and parentheses are too common in prose. Llama 4
//! may put it between `<|python_start|>` and `<|python_end|>`, which count anywhere; code between them that is no list of
//! calls is text. The first argument's name, or the closing parenthesis, makes it a call.
//!
//! Arguments that are no literals go on as they are, up to the parenthesis that closes the call by its brackets and
//! quotes; the calls behind it are read as usual.

use super::ahead::{Ahead, Miss, Seen};
use super::answer::{Calls, Step};
use super::cursor::Cursor;
use super::python::{Arguments, Broken, Took, argument_name, is_name_start};

const LIST: &str = "[";
const START: &str = "<|python_start|>";
const END: &str = "<|python_end|>";
/// The longest name of a function, in bytes.
const LONGEST_NAME: usize = 256;

/// Reads the calls.
pub(super) struct Pythonic {
    /// The markers while no closing tag may come; the same and the closing tag.
    markers: (&'static [&'static str], &'static [&'static str]),
    marker: &'static str,
    state: State,
    closable: bool,
}

enum State {
    Head,
    Arguments(Arguments),
    Broken(Broken),
    /// Behind a call of the list.
    Between,
}

impl Pythonic {
    /// Bare lists alone.
    pub(super) fn bare() -> Self {
        Self {
            markers: (&[], &[]),
            marker: LIST,
            state: State::Head,
            closable: false,
        }
    }

    /// Lists that may stand between Llama 4's tags.
    pub(super) fn llama4() -> Self {
        Self {
            markers: (&[START], &[START, END]),
            ..Self::bare()
        }
    }

    fn head(&mut self, cursor: &mut Cursor<'_>) -> Step {
        if self.marker == END {
            cursor.markup(END.len());
            self.closable = false;
            return Step::Done;
        }
        let mut ahead = Ahead::new(cursor.rest());
        let name = list_head(&mut ahead, self.marker);
        self.start(name, &ahead, cursor, Step::Not)
    }

    /// Begins a call where there is one.
    fn start(
        &mut self,
        name: Seen<&str>,
        ahead: &Ahead<'_>,
        cursor: &mut Cursor<'_>,
        otherwise: Step,
    ) -> Step {
        match name {
            Ok(name) => {
                cursor.source(ahead.taken());
                cursor.start(None, name.to_owned());
                let mut json = String::new();
                self.state = State::Arguments(Arguments::new(&mut json));
                cursor.write_arguments(&json);
                self.closable = true;
                Step::On
            }
            Err(Miss::More) => Step::More,
            Err(Miss::Never) => otherwise,
        }
    }

    fn between(&mut self, cursor: &mut Cursor<'_>) -> Step {
        let mut ahead = Ahead::new(cursor.rest());
        match next(&mut ahead) {
            Ok(None) => {
                cursor.source(ahead.taken());
                Step::Done
            }
            Ok(Some(name)) => self.start(Ok(name), &ahead, cursor, Step::Done),
            Err(miss) => self.start(Err(miss), &ahead, cursor, Step::Done),
        }
    }

    fn broken(&mut self, mut broken: Broken, cursor: &mut Cursor<'_>) -> Step {
        let rest = cursor.rest();
        let Some(end) = broken.close(rest) else {
            cursor.arguments(rest.len());
            self.state = State::Broken(broken);
            return Step::More;
        };
        cursor.arguments(end);
        cursor.source(1);
        cursor.end();
        self.state = State::Between;
        Step::On
    }

    fn arguments(&mut self, mut arguments: Arguments, cursor: &mut Cursor<'_>) -> Step {
        let rest = cursor.rest();
        let mut json = String::new();
        let took = arguments.step(rest, &mut json);
        cursor.write_arguments(&json);
        match took {
            Ok(Took::Bytes(bytes)) => cursor.source(bytes),
            Ok(Took::Last(bytes)) => {
                cursor.source(bytes);
                cursor.end();
                self.state = State::Between;
                return Step::On;
            }
            Err(Miss::Never) => {
                self.state = State::Broken(Broken::new(arguments.depth()));
                return Step::On;
            }
            Err(Miss::More) => {
                if cursor.ended() {
                    cursor.arguments(rest.len());
                }
                self.state = State::Arguments(arguments);
                return Step::More;
            }
        }
        self.state = State::Arguments(arguments);
        Step::On
    }
}

impl Calls for Pythonic {
    fn markers(&self) -> &[&'static str] {
        if self.closable {
            self.markers.1
        } else {
            self.markers.0
        }
    }

    fn leading(&self) -> &[&'static str] {
        &[LIST]
    }

    fn open(&mut self, marker: &'static str) {
        self.marker = marker;
        self.state = State::Head;
    }

    fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        match std::mem::replace(&mut self.state, State::Head) {
            State::Head => self.head(cursor),
            State::Arguments(arguments) => self.arguments(arguments, cursor),
            State::Broken(broken) => self.broken(broken, cursor),
            State::Between => {
                let step = self.between(cursor);
                if step == Step::More {
                    self.state = State::Between;
                }
                step
            }
        }
    }
}

fn list_head<'a>(ahead: &mut Ahead<'a>, marker: &str) -> Seen<&'a str> {
    ahead.literal(marker)?;
    if marker != LIST {
        ahead.space();
        ahead.literal(LIST)?;
    }
    call_head(ahead)
}

/// What follows a call of a list: the next call's name, or the list's end.
fn next<'a>(ahead: &mut Ahead<'a>) -> Seen<Option<&'a str>> {
    ahead.space();
    if ahead.either(&["]", ","])? == 0 {
        return Ok(None);
    }
    let mut end = *ahead;
    end.space();
    match end.literal("]") {
        Ok(()) => {
            *ahead = end;
            Ok(None)
        }
        Err(_) => call_head(ahead).map(Some),
    }
}

/// Takes `name(` where an argument or the call's end follows.
fn call_head<'a>(ahead: &mut Ahead<'a>) -> Seen<&'a str> {
    ahead.space();
    if !is_name_start(ahead.peek()?) {
        return Err(Miss::Never);
    }
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    let name = ahead.run(LONGEST_NAME, part)?;
    ahead.literal("(")?;
    let mut inside = *ahead;
    inside.space();
    if inside.peek()? != ')' {
        argument_name(&mut inside)?;
    }
    Ok(name)
}
