//! The line that says how far it is.

use std::{
    io::{IsTerminal as _, Write as _},
    thread,
    time::Duration,
};

use gateway_sim::experiment::Progress;

/// How often it is drawn anew.
const PERIOD: Duration = Duration::from_millis(100);
/// How often the end is looked for.
const GLANCE: Duration = Duration::from_millis(5);
/// Its width in characters.
const WIDTH: u64 = 30;

/// Draws on standard error until `is_done`, if that is a terminal.
pub(super) fn watch(progress: &Progress, is_done: impl Fn() -> bool) {
    let terminal = std::io::stderr().is_terminal();
    let mut glances = 0;
    while !is_done() {
        if terminal && glances % (PERIOD.as_millis() / GLANCE.as_millis()) == 0 {
            draw(&line(progress));
        }
        glances += 1;
        thread::sleep(GLANCE);
    }
    if terminal {
        draw("");
    }
}

fn draw(text: &str) {
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "\r\x1b[2K{text}").unwrap_or_default();
    stderr.flush().unwrap_or_default();
}

fn line(progress: &Progress) -> String {
    let (done, jobs) = progress.jobs();
    let full = (done * WIDTH).checked_div(jobs).unwrap_or(0);
    let bar: String = (0..WIDTH)
        .map(|at| if at < full { '█' } else { '░' })
        .collect();
    format!(
        "{bar} {done}/{jobs} runs, {} replays, {} requests",
        progress.replays(),
        progress.requests()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_do_is_an_empty_bar() {
        let line = line(&Progress::default());
        assert!(line.starts_with("░░░"), "{line}");
        assert!(line.ends_with("0/0 runs, 0 replays, 0 requests"), "{line}");
    }
}
