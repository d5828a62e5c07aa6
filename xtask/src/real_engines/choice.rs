//! Which parts are run.

use anyhow::{Result, bail};

use super::install::{Store, part};

/// One set of engines and what is checked with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Two vLLM servers behind the gateway.
    Vllm,
    /// Two vLLM servers that hand KV cache over.
    Pairs,
    /// SGLang beside vLLM.
    Sglang,
    /// llama.cpp's server.
    LlamaCpp,
}

impl Part {
    const ALL: [Self; 4] = [Self::Vllm, Self::Pairs, Self::Sglang, Self::LlamaCpp];

    /// Its name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::Pairs => "pairs",
            Self::Sglang => part::SGLANG,
            Self::LlamaCpp => part::LLAMA_CPP,
        }
    }

    /// Whether it is run, and installed where missing, without being asked for.
    fn is_usual(self, store: &Store) -> bool {
        match self {
            Self::Vllm | Self::Pairs => true,
            Self::Sglang | Self::LlamaCpp => store.holds(self.name()),
        }
    }
}

/// What was asked for on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Empty: what is usual.
    parts: Vec<Part>,
}

impl Choice {
    /// Reads names of parts, or `--all`; without any, vLLM and what else is installed.
    ///
    /// # Errors
    /// For anything else.
    pub fn parse(arguments: &[String]) -> Result<Self> {
        let mut parts = Vec::new();
        for argument in arguments {
            if argument == "--all" {
                parts = Part::ALL.to_vec();
                continue;
            }
            match Part::ALL.into_iter().find(|part| part.name() == argument) {
                Some(part) => parts.push(part),
                None => bail!("real-engines: no such part as {argument}"),
            }
        }
        Ok(Self { parts })
    }

    /// Whether `part` is to be run.
    pub(super) fn takes(&self, part: Part, store: &Store) -> bool {
        match self.parts.is_empty() {
            true => part.is_usual(store),
            false => self.parts.contains(&part),
        }
    }

    /// Parts in the order in which they are run.
    pub(super) fn parts() -> [Part; 4] {
        Part::ALL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Choice> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Choice::parse(&arguments)
    }

    #[test]
    fn reads_parts_by_name_or_all() {
        assert_eq!(parsed(&[]).unwrap().parts, []);
        assert_eq!(
            parsed(&["pairs", "sglang"]).unwrap().parts,
            [Part::Pairs, Part::Sglang]
        );
        assert_eq!(parsed(&["--all"]).unwrap().parts, Part::ALL);
        assert!(parsed(&["tgi"]).is_err());
    }
}
