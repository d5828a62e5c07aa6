//! The reader of one answer's calls.

use std::sync::Arc;

use super::super::ToolSpec;
use super::super::ahead::{Ahead, Miss, Seen};
use super::super::answer::{Calls, Step};
use super::super::cursor::Cursor;
use super::super::escape::push_quoted;
use super::super::tags::find;
use super::super::typed::{Types, of_parameter};
use super::Shape;
use super::heads::Parameter;
use super::value::Value;

/// Reads the calls of one [`Shape`].
pub(in super::super) struct Tagged {
    shape: &'static Shape,
    tools: Arc<[ToolSpec]>,
    marker: &'static str,
    state: State,
    /// Between the tags of a section.
    in_section: bool,
    /// The section's closing tag may come, because of the section or because models forget its beginning.
    closable: bool,
}

#[derive(Debug)]
enum State {
    /// Before a call's head, or at another marker.
    Head,
    Parameters(Call),
    Value(Call, Value),
    Broken,
}

#[derive(Clone, Debug)]
struct Call {
    name: String,
    parameters: usize,
}

impl Tagged {
    /// The reader of this format for a request with these tools.
    pub(in super::super) fn new(shape: &'static Shape, tools: Arc<[ToolSpec]>) -> Self {
        Self {
            shape,
            tools,
            marker: shape.call,
            state: State::Head,
            in_section: false,
            closable: false,
        }
    }

    /// The section's closing tag; for formats without, the call's.
    fn section_end(&self) -> &'static str {
        self.shape
            .section
            .map_or(self.shape.call_end, |(_, end)| end)
    }

    fn head(&mut self, cursor: &mut Cursor<'_>) -> Step {
        match self.shape.section {
            Some((open, _)) if self.marker == open => self.open_section(open, cursor),
            Some((_, end)) if self.marker == end => {
                cursor.markup(end.len());
                (self.in_section, self.closable) = (false, false);
                Step::Done
            }
            _ => self.open_call(cursor),
        }
    }

    /// A section's tag counts where a call follows.
    fn open_section(&mut self, open: &str, cursor: &mut Cursor<'_>) -> Step {
        let mut ahead = Ahead::new(cursor.rest());
        let seen = ahead.literal(open).and_then(|()| {
            ahead.space();
            self.call_head(&mut ahead)
        });
        match seen {
            Ok(_) => {
                cursor.markup(open.len());
                (self.in_section, self.closable) = (true, true);
                Step::Done
            }
            Err(Miss::More) => Step::More,
            Err(Miss::Never) => Step::Not,
        }
    }

    fn call_head<'a>(&self, ahead: &mut Ahead<'a>) -> Seen<&'a str> {
        ahead.literal(self.shape.call)?;
        (self.shape.head)(ahead)
    }

    fn open_call(&mut self, cursor: &mut Cursor<'_>) -> Step {
        let mut ahead = Ahead::new(cursor.rest());
        let seen = self.call_head(&mut ahead).and_then(|name| {
            if !self.in_section {
                let mut next = ahead;
                next.space();
                next.either(&[self.shape.parameter, self.shape.call_end])?;
            }
            Ok(name)
        });
        match seen {
            Ok(name) => {
                cursor.source(ahead.taken());
                cursor.start(None, name.to_owned());
                self.closable = true;
                self.state = State::Parameters(Call {
                    name: name.to_owned(),
                    parameters: 0,
                });
                Step::On
            }
            Err(Miss::More) => Step::More,
            Err(Miss::Never) => Step::Not,
        }
    }

    /// Between parameters.
    fn parameters(&mut self, mut call: Call, cursor: &mut Cursor<'_>) -> Step {
        let mut ahead = Ahead::new(cursor.rest());
        ahead.space();
        if ahead.taken() > 0 {
            cursor.source(ahead.taken());
            self.state = State::Parameters(call);
            return Step::On;
        }
        match self.next(&mut ahead) {
            Ok(Some(parameter)) => {
                let types = self.types(&call.name, parameter);
                open_parameter(call.parameters, parameter.name, cursor);
                call.parameters += 1;
                cursor.source(ahead.taken());
                self.state = State::Value(call, Value::new(types));
            }
            Ok(None) => {
                cursor.write_arguments(if call.parameters == 0 { "{}" } else { "}" });
                cursor.source(ahead.taken());
                return self.close(cursor);
            }
            Err(Miss::More) if cursor.ended() => {
                cursor.source(cursor.rest().len());
                return self.close(cursor);
            }
            Err(Miss::More) => {
                self.state = State::Parameters(call);
                return Step::More;
            }
            Err(Miss::Never) => self.state = State::Broken,
        }
        Step::On
    }

    /// Takes the next parameter's head, or the end of the call; the section's end stays.
    fn next<'a>(&self, ahead: &mut Ahead<'a>) -> Seen<Option<Parameter<'a>>> {
        let shape = self.shape;
        let ends = [shape.parameter, shape.call_end, self.section_end()];
        let mut end = *ahead;
        match end.either(&ends)? {
            0 => {
                *ahead = end;
                (shape.parameter_head)(ahead).map(Some)
            }
            1 => {
                *ahead = end;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn types(&self, tool: &str, parameter: Parameter<'_>) -> Types {
        match parameter.string {
            Some(true) => Types::STRING,
            Some(false) => Types::NO_STRING,
            None => match of_parameter(&self.tools, tool, parameter.name) {
                Types::UNKNOWN => self.shape.untyped,
                types => types,
            },
        }
    }

    /// Arguments that made no sense, up to the call's end.
    fn broken(&mut self, cursor: &mut Cursor<'_>) -> Step {
        let ends = [self.shape.call_end, self.section_end()];
        let found = find(cursor.rest(), 0, &ends, cursor.ended());
        cursor.arguments(found.certain);
        match found.which {
            Some(0) => cursor.source(self.shape.call_end.len()),
            Some(_) => {}
            None => {
                self.state = State::Broken;
                return Step::More;
            }
        }
        self.close(cursor)
    }

    fn close(&mut self, cursor: &mut Cursor<'_>) -> Step {
        cursor.end();
        self.state = State::Head;
        Step::Done
    }
}

fn open_parameter(before: usize, name: &str, cursor: &mut Cursor<'_>) {
    let mut json = if before == 0 { "{" } else { ", " }.to_owned();
    push_quoted(&mut json, name);
    json.push_str(": ");
    cursor.write_arguments(&json);
}

impl Calls for Tagged {
    fn markers(&self) -> &[&'static str] {
        if self.closable {
            self.shape.inside
        } else {
            self.shape.outside
        }
    }

    fn ends_reasoning(&self) -> bool {
        true
    }

    fn open(&mut self, marker: &'static str) {
        self.marker = marker;
        self.state = State::Head;
    }

    fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        match std::mem::replace(&mut self.state, State::Head) {
            State::Head => self.head(cursor),
            State::Parameters(call) => self.parameters(call, cursor),
            State::Value(call, mut value) => {
                let over = value.step(self.shape, cursor);
                self.state = match over {
                    Step::Done => State::Parameters(call),
                    _ => State::Value(call, value),
                };
                if over == Step::Done { Step::On } else { over }
            }
            State::Broken => self.broken(cursor),
        }
    }
}
