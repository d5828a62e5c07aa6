//! The way from the top of a file to a value.

use std::fmt;

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// Steps from the top; shown as `endpoints[0].url`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

impl Path {
    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }

    pub(crate) fn key(&self, key: &str) -> Self {
        let mut longer = self.clone();
        longer.push(Step::Key(key.to_owned()));
        longer
    }

    pub(crate) fn index(&self, at: usize) -> Self {
        let mut longer = self.clone();
        longer.push(Step::Index(at));
        longer
    }

    /// This path with the steps that `text` (`prefill.filters[2]`) writes out.
    pub(crate) fn follow(&self, text: &str) -> Self {
        let mut longer = self.clone();
        for part in text.split('.').filter(|part| !part.is_empty()) {
            let (key, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
            longer.push(Step::Key(key.to_owned()));
            let numbers = indices
                .split(['[', ']'])
                .filter_map(|number| number.parse().ok());
            longer.0.extend(numbers.map(Step::Index));
        }
        longer
    }

    /// Puts `step` before all others: paths of errors grow from the inside out.
    pub(crate) fn prepend(&mut self, step: Step) {
        self.0.insert(0, step);
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if at == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_it_follows() {
        let path = Path::default()
            .key("models")
            .index(3)
            .follow("pipeline.prefill.filters[2]");
        assert_eq!(path.to_string(), "models[3].pipeline.prefill.filters[2]");
        assert_eq!(path.steps().len(), 6);
    }
}
