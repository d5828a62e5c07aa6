//! The end of a call that is no literal call.

/// Looks for the closing parenthesis of a call whose arguments made no sense, by brackets and quotes alone.
#[derive(Clone, Debug)]
pub(in super::super) struct Broken {
    depth: usize,
    quote: Option<char>,
    escaped: bool,
}

impl Broken {
    /// Inside `depth` brackets, the call's own among them.
    pub(in super::super) fn new(depth: usize) -> Self {
        Self {
            depth,
            quote: None,
            escaped: false,
        }
    }

    /// The place of the closing parenthesis in `text`, if it is there. The text up to it counts as read.
    pub(in super::super) fn close(&mut self, text: &str) -> Option<usize> {
        text.char_indices()
            .find(|&(_, c)| self.closes(c))
            .map(|(at, _)| at)
    }

    fn closes(&mut self, c: char) -> bool {
        if let Some(quote) = self.quote {
            if self.escaped {
                self.escaped = false;
            } else if c == '\\' {
                self.escaped = true;
            } else if c == quote {
                self.quote = None;
            }
            return false;
        }
        match c {
            '\'' | '"' => self.quote = Some(c),
            '(' | '[' | '{' => self.depth += 1,
            ')' | ']' | '}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.depth == 0
    }
}
