//! The one place that reads environment variables, and the only text they may change.

use std::{collections::HashMap, fmt};

use super::Problem;

/// Where `${NAME}` finds its values.
#[derive(Clone)]
pub enum Environment {
    /// The process's own variables.
    Process,
    /// These, for tests and for reading untrusted files.
    Fixed(HashMap<String, String>),
}

impl fmt::Debug for Environment {
    /// Without the values, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process => f.write_str("Process"),
            Self::Fixed(values) => f.debug_set().entries(values.keys()).finish(),
        }
    }
}

impl Environment {
    /// An environment without variables.
    #[must_use]
    pub fn empty() -> Self {
        Self::Fixed(HashMap::new())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the configuration loader"
    )]
    fn value(&self, name: &str) -> Option<String> {
        match self {
            Self::Process => std::env::var(name).ok(),
            Self::Fixed(values) => values.get(name).cloned(),
        }
    }

    /// `text` with `${NAME}` and `${NAME:-default}` replaced, `$$` by `$`; `None` where there is nothing to replace.
    ///
    /// A variable that is set but empty takes the default as well, as in a shell.
    pub(crate) fn expand(&self, text: &str) -> Result<Option<String>, Problem> {
        if !text.contains('$') {
            return Ok(None);
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let tail = &rest[at + 1..];
            if let Some(after) = tail.strip_prefix('$') {
                out.push('$');
                rest = after;
            } else if let Some(inside) = tail.strip_prefix('{') {
                let (expression, after) = inside.split_once('}').ok_or(Problem::OpenVariable)?;
                out.push_str(&self.resolve(expression)?);
                rest = after;
            } else {
                out.push('$');
                rest = tail;
            }
        }
        out.push_str(rest);
        Ok(Some(out))
    }

    fn resolve(&self, expression: &str) -> Result<String, Problem> {
        let (name, default) = match expression.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (expression, None),
        };
        let value = self.value(name).filter(|value| !value.is_empty());
        value
            .or_else(|| default.map(str::to_owned))
            .ok_or_else(|| Problem::UnsetVariable(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_what_is_marked_and_nothing_else() {
        let environment = Environment::Fixed(
            [("A", "one"), ("EMPTY", "")]
                .map(|(k, v)| (k.into(), v.into()))
                .into(),
        );
        let expand = |text: &str| {
            environment
                .expand(text)
                .expect("valid")
                .unwrap_or_else(|| text.to_owned())
        };
        assert_eq!(expand("plain"), "plain");
        assert_eq!(expand("<${A}>${B:-two}${EMPTY:-}"), "<one>two");
        assert_eq!(expand("$$A costs $5, $${A}"), "$A costs $5, ${A}");
        assert_eq!(
            environment.expand("${B}"),
            Err(Problem::UnsetVariable("B".into()))
        );
        assert_eq!(
            environment.expand("${EMPTY}"),
            Err(Problem::UnsetVariable("EMPTY".into()))
        );
        assert_eq!(environment.expand("x${A"), Err(Problem::OpenVariable));
    }
}
