//! Reasoning, text and calls of one answer: what most families share.

use super::cursor::Cursor;
use super::driver::{Grammar, Progress};
use super::reasoning::{ReasoningStyle, Tags};
use super::scan::{self, Found, Match};

/// The most markers that are looked for at once.
const MOST_MARKERS: usize = 12;

/// How far the reading of a call got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Something was consumed or is known now: go on.
    On,
    /// It needs more input.
    More,
    /// The construct is over; what follows is content again.
    Done,
    /// No call after all: nothing was consumed, and the marker is text.
    Not,
}

/// How a family writes its calls.
///
/// The markers may change with what was read: inside a section of calls, the section's end is one.
pub(super) trait Calls: Send {
    /// The markers that are looked for anywhere in the content.
    fn markers(&self) -> &[&'static str];

    /// The markers that count only where no text stands before them: at the answer's start, after reasoning, after a call.
    fn leading(&self) -> &[&'static str] {
        &[]
    }

    /// Whether a call inside open reasoning ends the reasoning.
    fn ends_reasoning(&self) -> bool {
        false
    }

    /// `marker` was found; the cursor's rest begins with it from the next step on.
    fn open(&mut self, marker: &'static str);

    /// Reads on. Nothing may be consumed before it is certain that this is a call, or the marker of a recognised
    /// construct: until then everything degrades to text.
    fn step(&mut self, cursor: &mut Cursor<'_>) -> Step;
}

/// A grammar of tagged reasoning, text and `C`'s calls.
///
/// Around reasoning tags all whitespace is markup. Whitespace before a call's marker is markup too, and so is whitespace
/// between the last call and the end of the answer. The opening tag counts only where no text stands before it; the
/// closing tag alone is text. Markers inside reasoning are reasoning, unless the family [ends it](Calls::ends_reasoning)
/// with a call whose head is valid.
pub(super) struct Answer<C> {
    calls: C,
    tags: Option<Tags>,
    state: State,
    /// No text since the start, the end of reasoning or the last call.
    leading: bool,
    /// Whitespace here belongs to the closing tag before it.
    trim: bool,
    /// The last thing written was a call.
    after_call: bool,
    /// A call ended the reasoning, whose closing tag may still come.
    unclosed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first byte of reasoning.
    ReasoningStart {
        /// Whether the opening tag was the model's.
        opened: bool,
    },
    Reasoning,
    Content,
    Call(OpenCall),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OpenCall {
    marker: &'static str,
    /// The whitespace before it, in bytes.
    lead: usize,
    in_reasoning: bool,
    /// Whether something of it is consumed.
    committed: bool,
}

impl<C: Calls> Answer<C> {
    pub(super) fn new(calls: C, style: &ReasoningStyle) -> Self {
        let state = match style {
            ReasoningStyle::ForcedOpen(_) => State::ReasoningStart { opened: false },
            ReasoningStyle::None | ReasoningStyle::Tagged(_) => State::Content,
        };
        Self {
            calls,
            tags: style.tags().cloned(),
            state,
            leading: true,
            trim: false,
            after_call: false,
            unclosed: false,
        }
    }

    /// Skips whitespace, and a second opening tag: some models repeat the one that the prompt ends with.
    fn reasoning_start(&mut self, cursor: &mut Cursor<'_>, opened: bool) -> Progress {
        let space = scan::space_at(cursor.rest());
        cursor.markup(space);
        let (rest, tags) = (cursor.rest(), self.tags.as_ref());
        let open = tags.filter(|_| !opened).map_or("", |tags| &tags.open);
        if !rest.is_empty() && !open.is_empty() {
            if rest.starts_with(open) {
                cursor.markup(open.len());
                self.state = State::ReasoningStart { opened: true };
                return Progress::On;
            }
            if open.starts_with(rest) && !cursor.ended() {
                return Progress::More;
            }
        }
        if rest.is_empty() {
            return Progress::More;
        }
        self.state = State::Reasoning;
        Progress::On
    }

    fn reasoning(&mut self, cursor: &mut Cursor<'_>) -> Progress {
        let close = self.tags.as_ref().map_or("", |tags| &tags.close);
        let calls = if self.calls.ends_reasoning() {
            self.calls.markers()
        } else {
            &[]
        };
        let mut list = [""; MOST_MARKERS];
        let markers = gather(&mut list, &[&[close], calls]);
        match scan::find(cursor.rest(), markers, cursor.ended()) {
            Found::Nothing { text } => {
                cursor.reasoning(text);
                Progress::More
            }
            Found::Marker {
                text,
                space,
                which: 0,
            } => {
                let marker = close.len();
                cursor.reasoning(text);
                cursor.markup(space + marker);
                self.content_after_reasoning()
            }
            Found::Marker { text, space, which } => {
                cursor.reasoning(text);
                let marker = calls[which - 1];
                self.open(marker, space, true)
            }
        }
    }

    fn content_after_reasoning(&mut self) -> Progress {
        self.state = State::Content;
        (self.leading, self.trim, self.after_call) = (true, true, false);
        Progress::On
    }

    fn open(&mut self, marker: &'static str, lead: usize, in_reasoning: bool) -> Progress {
        self.calls.open(marker);
        self.state = State::Call(OpenCall {
            marker,
            lead,
            in_reasoning,
            committed: false,
        });
        Progress::On
    }

    fn content(&mut self, cursor: &mut Cursor<'_>) -> Progress {
        if self.leading {
            return self.content_start(cursor);
        }
        let markers = self.calls.markers();
        match scan::find(cursor.rest(), markers, cursor.ended()) {
            Found::Nothing { text } => {
                cursor.text(text);
                Progress::More
            }
            Found::Marker { text, space, which } => {
                let marker = markers[which];
                cursor.text(text);
                self.open(marker, space, false)
            }
        }
    }

    /// Where no text stands before: more markers count here.
    fn content_start(&mut self, cursor: &mut Cursor<'_>) -> Progress {
        let space = scan::space_at(cursor.rest());
        if self.trim && space > 0 {
            cursor.markup(space);
            return Progress::On;
        }
        if space > scan::MOST_SPACE {
            cursor.text(space - scan::MOST_SPACE);
            return Progress::On;
        }
        let rest = &cursor.rest()[space..];
        if rest.is_empty() && cursor.ended() && self.after_call {
            cursor.markup(space);
            return Progress::More;
        }
        let (leading, anywhere) = (self.calls.leading(), self.calls.markers());
        let (open, close) = match &self.tags {
            Some(tags) => (&*tags.open, if self.unclosed { &*tags.close } else { "" }),
            None => ("", ""),
        };
        let mut list = [""; MOST_MARKERS];
        let markers = gather(&mut list, &[&[open], &[close], leading, anywhere]);
        let found = match scan::matches(rest, markers, cursor.ended()) {
            Match::Partial => return Progress::More,
            Match::Full(which) => markers[which],
            Match::No => {
                (self.leading, self.trim, self.after_call) = (false, false, false);
                return Progress::On;
            }
        };
        if found == open || found == close {
            let reopened = found == open;
            cursor.markup(space + found.len());
            self.unclosed = false;
            if reopened {
                self.state = State::ReasoningStart { opened: true };
                return Progress::On;
            }
            return self.content_after_reasoning();
        }
        let known = leading.iter().chain(anywhere).find(|m| **m == found);
        let marker = *known.expect("one of the markers was found");
        self.open(marker, space, false)
    }

    fn call(&mut self, cursor: &mut Cursor<'_>, call: OpenCall) -> Progress {
        let before = cursor.at();
        cursor.set_lead(if call.committed { 0 } else { call.lead });
        let step = self.calls.step(cursor);
        cursor.set_lead(0);
        let committed = call.committed || cursor.at() > before;
        match step {
            Step::On | Step::More if !(step == Step::More && cursor.ended()) => {
                self.unclosed |= committed && call.in_reasoning;
                self.state = State::Call(OpenCall { committed, ..call });
                match step {
                    Step::More => Progress::More,
                    _ => Progress::On,
                }
            }
            _ if committed => {
                self.unclosed |= call.in_reasoning;
                self.state = State::Content;
                (self.leading, self.trim, self.after_call) = (true, false, true);
                Progress::On
            }
            _ => self.not_a_call(cursor, call),
        }
    }

    fn not_a_call(&mut self, cursor: &mut Cursor<'_>, call: OpenCall) -> Progress {
        let bytes = call.lead + call.marker.len();
        if call.in_reasoning {
            cursor.reasoning(bytes);
            self.state = State::Reasoning;
        } else {
            cursor.text(bytes);
            self.state = State::Content;
            (self.leading, self.after_call) = (false, false);
        }
        Progress::On
    }
}

impl<C: Calls> Grammar for Answer<C> {
    fn step(&mut self, cursor: &mut Cursor<'_>) -> Progress {
        match self.state {
            State::ReasoningStart { opened } => self.reasoning_start(cursor, opened),
            State::Reasoning => self.reasoning(cursor),
            State::Content => self.content(cursor),
            State::Call(call) => self.call(cursor, call),
        }
    }

    fn is_reasoning(&self) -> bool {
        match self.state {
            State::ReasoningStart { .. } | State::Reasoning => true,
            State::Content => false,
            State::Call(call) => call.in_reasoning && !call.committed,
        }
    }
}

/// The markers of all lists that are not empty, in their order.
fn gather<'s, 'm>(list: &'s mut [&'m str; MOST_MARKERS], from: &[&[&'m str]]) -> &'s [&'m str] {
    let mut len = 0;
    for marker in from.iter().copied().flatten().filter(|m| !m.is_empty()) {
        list[len] = marker;
        len += 1;
    }
    &list[..len]
}
