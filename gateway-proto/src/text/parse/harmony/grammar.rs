//! The reader of a whole answer.

use super::super::ahead::{Ahead, Miss};
use super::super::cursor::Cursor;
use super::super::driver::{Grammar, Progress};
use super::super::tags::find;
use super::head::{self, BEGINNINGS, Kind};

/// What ends a message, and then what begins one.
const TAGS: [&str; 5] = [
    "<|end|>",
    "<|call|>",
    "<|return|>",
    BEGINNINGS[0],
    BEGINNINGS[1],
];
const ENDS: usize = 3;

/// Reads an answer.
pub(in super::super) struct Harmony {
    state: State,
}

enum State {
    /// Where a head is due.
    Due,
    /// Within a message, or outside of all.
    Body(Body),
}

struct Body {
    kind: Kind,
    /// Whether a head went before.
    framed: bool,
    empty: bool,
    /// So many bytes are certain to belong to the body, a tag among them that is none.
    certain: usize,
}

impl Harmony {
    /// The reader at the beginning of an answer.
    pub(in super::super) fn new() -> Self {
        Self { state: State::Due }
    }

    fn due(&mut self, cursor: &mut Cursor<'_>) -> Progress {
        let mut ahead = Ahead::new(cursor.rest());
        let seen = head::take(&mut ahead).or_else(|miss| {
            // The space may be the separator of messages, or the first byte of ` to=`.
            let mut spaced = Ahead::new(cursor.rest());
            spaced.space();
            let second = head::take(&mut spaced);
            ahead = spaced;
            second.map_err(|other| if miss == Miss::More { miss } else { other })
        });
        match seen {
            Ok(kind) => {
                self.begin(kind, ahead.taken(), cursor);
                Progress::On
            }
            Err(Miss::More) if !cursor.ended() => Progress::More,
            Err(Miss::More) if BEGINNINGS.iter().any(|tag| cursor.rest().contains(tag)) => {
                cursor.markup(cursor.rest().len());
                Progress::More
            }
            Err(_) => {
                self.outside(cursor.rest());
                Progress::On
            }
        }
    }

    fn begin(&mut self, kind: Kind, bytes: usize, cursor: &mut Cursor<'_>) {
        match &kind {
            Kind::Call(name) => {
                cursor.source(bytes);
                cursor.start(None, name.clone());
            }
            Kind::Text | Kind::Reasoning => cursor.markup(bytes),
        }
        self.state = State::Body(Body {
            kind,
            framed: true,
            empty: true,
            certain: 0,
        });
    }

    /// No head stands here: what does is text.
    fn outside(&mut self, rest: &str) {
        let tag = BEGINNINGS.iter().find(|tag| rest.starts_with(**tag));
        self.state = State::Body(Body {
            kind: Kind::Text,
            framed: false,
            empty: true,
            certain: tag.map_or(0, |tag| tag.len()),
        });
    }

    fn body(&mut self, mut body: Body, cursor: &mut Cursor<'_>) -> Progress {
        let tags = if body.framed {
            &TAGS[..]
        } else {
            &TAGS[ENDS..]
        };
        let rest = cursor.rest();
        let found = find(rest, body.certain, tags, cursor.ended());
        if found.certain > 0 {
            body.write(found.certain, cursor);
            self.state = State::Body(body);
            return Progress::On;
        }
        let Some(which) = found.which else {
            self.state = State::Body(body);
            return Progress::More;
        };
        if body.framed && which < ENDS {
            body.finish(cursor);
            cursor.markup(TAGS[which].len());
            return Progress::On;
        }
        match head::take(&mut Ahead::new(rest)) {
            Err(Miss::More) if !cursor.ended() => {
                self.state = State::Body(body);
                Progress::More
            }
            Err(Miss::Never) => {
                body.certain = tags[which].len();
                self.state = State::Body(body);
                Progress::On
            }
            Ok(_) | Err(Miss::More) => {
                body.finish(cursor);
                Progress::On
            }
        }
    }
}

impl Body {
    fn write(&mut self, bytes: usize, cursor: &mut Cursor<'_>) {
        (self.empty, self.certain) = (false, 0);
        match self.kind {
            Kind::Text => cursor.text(bytes),
            Kind::Reasoning => cursor.reasoning(bytes),
            Kind::Call(_) => cursor.arguments(bytes),
        }
    }

    /// A call without arguments has none to give.
    fn finish(self, cursor: &mut Cursor<'_>) {
        if self.empty && matches!(self.kind, Kind::Call(_)) {
            cursor.write_arguments("{}");
        }
        cursor.end();
    }
}

impl Grammar for Harmony {
    fn step(&mut self, cursor: &mut Cursor<'_>) -> Progress {
        match std::mem::replace(&mut self.state, State::Due) {
            State::Due => self.due(cursor),
            State::Body(body) => self.body(body, cursor),
        }
    }

    /// Engines keep the end of a call, as it ends the answer.
    fn finish(&mut self, cursor: &mut Cursor<'_>) {
        if let State::Body(body) = std::mem::replace(&mut self.state, State::Due) {
            body.finish(cursor);
        }
    }

    fn is_reasoning(&self) -> bool {
        matches!(&self.state, State::Body(body) if body.kind == Kind::Reasoning)
    }
}
