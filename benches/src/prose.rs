//! Prose and code.

use gateway_core::Rng;

const WORDS: &str = "the a of to and in that is for it on as with this are be by from or at which we can not one when \
    its has value request server model answer token file function error stream first second every other some time \
    before after between without through should could might never always however because therefore another \
    configuration implementation measurement temperature considerable understanding";
const NAMES: [&str; 16] = [
    "request", "reply", "buffer", "index", "state", "count", "limit", "stream", "chunk", "parser",
    "cursor", "writer", "session", "deadline", "endpoint", "budget",
];

/// Text such as models are asked and say, made from a seed.
#[derive(Clone, Debug)]
pub struct Prose {
    rng: Rng,
    words: Vec<&'static str>,
}

impl Prose {
    /// Equal seeds give equal texts.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            rng: Rng::from_seed(seed),
            words: WORDS.split_whitespace().collect(),
        }
    }

    /// About `bytes` bytes of sentences, in paragraphs.
    pub fn text(&mut self, bytes: usize) -> String {
        let mut out = String::with_capacity(bytes + 100);
        while out.len() < bytes {
            self.sentence(&mut out);
            out.push_str(if self.rng.below(5) == 0 { "\n\n" } else { " " });
        }
        out.truncate(out.trim_end().len());
        out
    }

    fn sentence(&mut self, out: &mut String) {
        let start = out.len();
        for at in 0..6 + self.rng.below(14) {
            if at > 0 {
                out.push_str(if self.rng.below(9) == 0 { ", " } else { " " });
            }
            match self.rng.below(24) {
                0 => out.push_str(&format!("`{}`", self.name())),
                1 => out.push_str(&self.rng.below(10_000).to_string()),
                _ => out.push_str(self.words[self.rng.below(self.words.len())]),
            }
        }
        if let Some(first) = out.get_mut(start..=start) {
            first.make_ascii_uppercase();
        }
        out.push('.');
    }

    /// About `bytes` bytes of lines of code.
    pub fn code(&mut self, bytes: usize) -> String {
        let mut out = String::with_capacity(bytes + 100);
        while out.len() < bytes {
            let (one, other, third) = (self.name(), self.name(), self.name());
            let number = self.rng.below(4096);
            out.push_str(&match self.rng.below(5) {
                0 => format!("    let {one} = {other}.{third}({number})?;\n"),
                1 => format!("    if {one}.len() > {number} {{\n        return Err(\"{other} is too long\");\n    }}\n"),
                2 => format!("    // The {one} of the {other} holds {number} bytes.\n"),
                3 => format!("    self.{one}.push(({other}, \"{third}\\n\"));\n"),
                _ => format!("pub fn {one}_{other}(&mut self, {third}: usize) -> Option<u64> {{\n"),
            });
        }
        out
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.rng.below(NAMES.len())]
    }
}
