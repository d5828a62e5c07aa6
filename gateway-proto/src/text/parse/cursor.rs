//! The place in the output up to which a grammar has read, and where what it read goes.

use super::Piece;

/// What became of a stretch of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Came out as [`Piece::Text`], unchanged.
    Text,
    /// Came out as [`Piece::Reasoning`], unchanged.
    Reasoning,
    /// Part of a call: its arguments, or what names and frames them.
    Call,
    /// A marker of a recognised construct, or the whitespace that belongs to it.
    Markup,
}

/// A stretch of the output, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// What became of it.
    pub(crate) class: Class,
    /// Its length.
    pub(crate) bytes: usize,
}

/// What a grammar reads from and writes to. Every byte leaves it through exactly one of [`text`](Self::text),
/// [`reasoning`](Self::reasoning), [`markup`](Self::markup), [`source`](Self::source) and
/// [`arguments`](Self::arguments), so text and reasoning are the model's own bytes by construction.
pub(super) struct Cursor<'a> {
    input: &'a str,
    at: usize,
    lead: usize,
    ended: bool,
    first: usize,
    out: &'a mut Vec<Piece>,
    flow: &'a mut Flow,
}

/// What outlives a push.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Whether a call has begun and not ended.
    pub(super) in_call: bool,
    /// What became of the bytes so far, where somebody asked for it.
    pub(super) spans: Option<Vec<Span>>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(
        input: &'a str,
        ended: bool,
        out: &'a mut Vec<Piece>,
        flow: &'a mut Flow,
    ) -> Self {
        let first = out.len();
        Self {
            input,
            at: 0,
            lead: 0,
            ended,
            first,
            out,
            flow,
        }
    }

    /// What is not consumed yet, without the [lead](Self::set_lead).
    pub(super) fn rest(&self) -> &'a str {
        &self.input[self.at + self.lead..]
    }

    /// Whether nothing comes after [`rest`](Self::rest).
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// How many bytes are consumed.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Hides the first bytes of the rest: they become markup together with the first byte consumed after them.
    pub(super) fn set_lead(&mut self, bytes: usize) {
        self.lead = bytes;
    }

    /// Gives the next bytes to the reader.
    pub(super) fn text(&mut self, bytes: usize) {
        let taken = self.take(bytes, Class::Text);
        match self.last() {
            Some(Piece::Text(text)) => text.push_str(taken),
            _ if taken.is_empty() => {}
            _ => self.out.push(Piece::Text(taken.to_owned())),
        }
    }

    /// Gives the next bytes out as reasoning.
    pub(super) fn reasoning(&mut self, bytes: usize) {
        let taken = self.take(bytes, Class::Reasoning);
        match self.last() {
            Some(Piece::Reasoning(text)) => text.push_str(taken),
            _ if taken.is_empty() => {}
            _ => self.out.push(Piece::Reasoning(taken.to_owned())),
        }
    }

    /// Gives the next bytes out as the current call's arguments.
    pub(super) fn arguments(&mut self, bytes: usize) {
        let taken = self.take(bytes, Class::Call);
        self.write_arguments(taken);
    }

    /// Consumes bytes of a call that come out in another form, or that frame what does.
    pub(super) fn source(&mut self, bytes: usize) {
        self.take(bytes, Class::Call);
    }

    /// Consumes a marker, or whitespace that belongs to one.
    pub(super) fn markup(&mut self, bytes: usize) {
        self.take(bytes, Class::Markup);
    }

    /// Writes arguments that the model wrote in another form.
    pub(super) fn write_arguments(&mut self, json: &str) {
        match self.last() {
            Some(Piece::CallArguments(text)) => text.push_str(json),
            _ if json.is_empty() => {}
            _ => self.out.push(Piece::CallArguments(json.to_owned())),
        }
    }

    /// Begins a call.
    pub(super) fn start(&mut self, id: Option<String>, name: String) {
        self.flow.in_call = true;
        self.out.push(Piece::CallStart { id, name });
    }

    /// Ends the current call, if there is one.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.flow.in_call) {
            self.out.push(Piece::CallEnd);
        }
    }

    fn last(&mut self) -> Option<&mut Piece> {
        self.out[self.first..].last_mut()
    }

    fn take(&mut self, bytes: usize, class: Class) -> &'a str {
        let lead = std::mem::take(&mut self.lead);
        self.note(lead, Class::Markup);
        self.note(bytes, class);
        let from = self.at + lead;
        self.at = from + bytes;
        &self.input[from..self.at]
    }

    fn note(&mut self, bytes: usize, class: Class) {
        let Some(spans) = self.flow.spans.as_mut().filter(|_| bytes > 0) else {
            return;
        };
        match spans.last_mut() {
            Some(last) if last.class == class => last.bytes += bytes,
            _ => spans.push(Span { class, bytes }),
        }
    }
}
