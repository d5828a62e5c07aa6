//! Standard output and error.

use std::{fmt::Arguments, io::Write as _};

/// Prints a line. A reader that has gone is no reason to fail.
pub(super) fn line(text: Arguments<'_>) {
    writeln!(std::io::stdout(), "{text}").unwrap_or_default();
}

/// Prints why the command failed.
pub(super) fn error(text: Arguments<'_>) {
    writeln!(std::io::stderr(), "error: {text}").unwrap_or_default();
}

/// Prints something that is worth knowing and no error.
pub(super) fn note(text: Arguments<'_>) {
    writeln!(std::io::stderr(), "note: {text}").unwrap_or_default();
}
