//! Commands whose failure says what they said.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Longest part of a command's complaint that is shown, in characters.
const SHOWN: usize = 2000;

/// Runs to the end without input.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting {shown}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let start = said.char_indices().rev().nth(SHOWN).map_or(0, |(at, _)| at);
        bail!("{shown}: {}: {}", output.status, &said[start..]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_and_its_complaint() {
        let error = run(Command::new("sh").args(["-c", "echo oh dear >&2; exit 3"])).unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("exit 3") && text.contains("oh dear"),
            "{text}"
        );
        assert!(run(&mut Command::new("no-such-command-here")).is_err());
    }
}
