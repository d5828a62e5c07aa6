//! Holding answers that come as text to the schemas that were promised.

use gateway_proto::{
    ir::{Event, Finish, Request, Step},
    text::model::{PrepareError, StrictFormat},
};

/// What was promised, and what has come of it.
#[derive(Debug)]
pub(super) struct Promise {
    strict: StrictFormat,
    choices: Vec<Written>,
}

/// What one choice has so far.
#[derive(Debug, Default)]
struct Written {
    text: String,
    /// The call being written.
    call: Option<(String, String)>,
    has_calls: bool,
    violation: Option<String>,
}

impl Promise {
    /// Of a request.
    ///
    /// # Errors
    /// Where a schema is none.
    pub(super) fn of(request: &Request) -> Result<Self, PrepareError> {
        Ok(Self {
            strict: StrictFormat::of(request)?,
            choices: Vec::new(),
        })
    }

    /// Takes in an event, and writes into the end of a choice how it breaks what was promised.
    pub(super) fn see(&mut self, event: &mut Event) {
        let Event::Step { choice, step } = event else {
            return;
        };
        if self.strict.is_empty() {
            return;
        }
        let at = *choice as usize;
        if self.choices.len() <= at {
            self.choices.resize_with(at + 1, Written::default);
        }
        self.choices[at].see(step, &self.strict);
    }
}

impl Written {
    fn see(&mut self, step: &mut Step, strict: &StrictFormat) {
        match step {
            Step::Text(more) => self.text.push_str(more),
            Step::CallStart { name, .. } => {
                self.has_calls = true;
                self.call = Some((name.clone(), String::new()));
            }
            Step::CallArguments(more) => {
                if let Some((_, arguments)) = &mut self.call {
                    arguments.push_str(more);
                }
            }
            Step::CallEnd => {
                if let Some((name, arguments)) = self.call.take() {
                    let broken = strict.check_call(&name, &arguments);
                    self.violation = self.violation.take().or(broken);
                }
            }
            Step::Finished {
                finish,
                stop: None,
                violation,
            } if violation.is_none() => *violation = self.end(finish, strict),
            _ => {}
        }
    }

    /// An answer that was cut short cannot be whole, and says so by its reason.
    fn end(&mut self, finish: &Finish, strict: &StrictFormat) -> Option<String> {
        if !matches!(finish, Finish::Stop | Finish::ToolCalls) {
            return None;
        }
        if !self.has_calls {
            return strict.check_content(&self.text);
        }
        self.violation.take()
    }
}
