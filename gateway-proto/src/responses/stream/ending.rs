//! How a response ends.

use super::encoder::ResponseStream;
use crate::error::ApiError;
use crate::ir::Finish;
use crate::json::{push_opt_str, push_str, push_u64};
use crate::responses::object::{Incomplete, ItemStatus, Status, failure_of};

/// What the last step of the answer said.
#[derive(Debug, Default)]
pub(super) enum Ending {
    /// The model was done, as far as anybody said.
    #[default]
    Whole,
    /// Something is lacking.
    Short(Incomplete),
    /// The engine gave up.
    Broken,
}

impl Ending {
    pub(super) fn new(finish: &Finish, violation: Option<String>) -> Self {
        match (finish, violation) {
            (Finish::Length, _) => Self::Short(Incomplete::MaxOutputTokens),
            (Finish::ContentFilter, _) => Self::Short(Incomplete::ContentFilter),
            (Finish::Abort | Finish::Error, _) => Self::Broken,
            (_, Some(note)) => Self::Short(Incomplete::Violation(note)),
            (Finish::Stop | Finish::ToolCalls | Finish::Other(_), None) => Self::Whole,
        }
    }

    /// How the item ends that is being written at that moment.
    pub(super) fn item_status(&self) -> ItemStatus {
        match self {
            Self::Whole | Self::Short(Incomplete::Violation(_)) => ItemStatus::Completed,
            Self::Short(_) | Self::Broken => ItemStatus::Incomplete,
        }
    }
}

impl ResponseStream {
    /// Ends the response the way its last step said.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        self.close(self.ending.item_status(), out);
        let kind = match std::mem::take(&mut self.ending) {
            Ending::Broken => {
                let error = ApiError::upstream("The engine gave the request up; try again.");
                self.break_off(&error, out);
                return;
            }
            Ending::Whole => {
                self.object.completed_at = Some(self.now);
                self.object.status = Status::Completed;
                "response.completed"
            }
            Ending::Short(why) => {
                self.object.status = Status::Incomplete(why);
                "response.incomplete"
            }
        };
        self.over = true;
        self.snapshot(kind, out);
        self.emitter.done(out);
    }

    /// Ends the response with an error. What is being written stays open on the wire: some clients run a call as soon
    /// as its item is closed, and this one is in pieces.
    pub(super) fn break_off(&mut self, error: &ApiError, out: &mut Vec<u8>) {
        self.abandon();
        self.over = true;
        self.emitter
            .event("error", out, |out| push_error(error, out));
        self.object.status = Status::Failed(failure_of(error));
        self.snapshot("response.failed", out);
    }

    /// Calls the response off: what came so far stays, and nothing more is written.
    pub fn cancel(&mut self) {
        if self.over {
            return;
        }
        self.abandon();
        self.over = true;
        self.object.status = Status::Cancelled;
    }

    fn abandon(&mut self) {
        if self.open.take().is_some()
            && let Some(item) = self.object.output.last_mut()
        {
            item.status = ItemStatus::Incomplete;
        }
    }
}

/// The members of an error event: flat as OpenAI has them, and in an object as the Open Responses specification has
/// them; clients of both read it.
pub(in crate::responses) fn push_error(error: &ApiError, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"status\":");
    push_u64(out, u64::from(error.status));
    push_code(error, out);
    out.extend_from_slice(b",\"error\":{\"type\":");
    push_str(out, &error.kind);
    push_code(error, out);
    out.push(b'}');
}

/// The specification has a code in every error; the kind stands in where there is none.
fn push_code(error: &ApiError, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"code\":");
    push_str(out, error.code.as_deref().unwrap_or(&error.kind));
    out.extend_from_slice(b",\"message\":");
    push_str(out, &error.message);
    out.extend_from_slice(b",\"param\":");
    push_opt_str(out, error.param.as_deref());
}
