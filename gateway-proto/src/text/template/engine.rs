//! The template engine, set up as `transformers` sets up Jinja.

use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Value};

use super::python;
use super::{LONGEST_PROMPT, TemplateError, prepare};

/// The name that the one template has in its environment.
const NAME: &str = "chat_template";

/// Steps that one rendering may take: a long conversation takes some ten thousand.
const MOST_STEPS: u64 = 5_000_000;

/// Steps that one rendering may take while a template is tried on small conversations.
const PROBE_STEPS: u64 = 200_000;

/// Nested macro calls count four each.
const DEEPEST: usize = 320;

/// A compiled template.
#[derive(Debug)]
pub(super) struct Engine(Environment<'static>);

impl Engine {
    pub(super) fn compile(source: &str) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        let mut syntax = SyntaxConfig::builder();
        let syntax = syntax.trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| TemplateError::of_source(&error))?);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(PROBE_STEPS));
        environment.set_recursion_limit(DEEPEST);
        environment.set_unknown_method_callback(python::call_method);
        environment.set_formatter(|out, _, value| Ok(python::write_str(out, value)?));
        python::install_functions(&mut environment);
        python::install_filters(&mut environment);
        python::install_tests(&mut environment);
        environment
            .add_template_owned(NAME, prepare::prepare(source))
            .map_err(|error| TemplateError::of_source(&error))?;
        Ok(Self(environment))
    }

    /// Ends the trial: from now on a rendering may take as long as conversations need.
    pub(super) fn admit(&mut self) {
        self.0.set_fuel(Some(MOST_STEPS));
    }

    pub(super) fn render(&self, variables: Value) -> Result<String, TemplateError> {
        let mut out = Bounded {
            bytes: Vec::new(),
            is_full: false,
        };
        let template = self.template()?;
        let rendered = template.render_captured_to(variables, &mut out);
        let failure = rendered.err();
        match failure {
            Some(_) if out.is_full => Err(TemplateError::TooLong),
            Some(error) => Err(TemplateError::of_render(&error)),
            None => Ok(String::from_utf8(out.bytes).expect("templates write strings")),
        }
    }

    /// Variables that the source reads and does not set.
    pub(super) fn variables(&self) -> Result<impl Iterator<Item = String>, TemplateError> {
        Ok(self.template()?.undeclared_variables(false).into_iter())
    }

    fn template(&self) -> Result<minijinja::Template<'_, '_>, TemplateError> {
        let found = self.0.get_template(NAME);
        found.map_err(|error| TemplateError::of_source(&error))
    }
}

/// A prompt of bounded length.
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl io::Write for &mut Bounded {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + text.len() > LONGEST_PROMPT {
            self.is_full = true;
            return Err(io::Error::other(Error::from(ErrorKind::WriteFailure)));
        }
        self.bytes.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
