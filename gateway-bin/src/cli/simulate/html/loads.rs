//! How busy each engine was.

use std::fmt;

use gateway_sim::experiment::{EngineUse, PolicyResult};

use super::{escape::Escaped, plot::look};

const LABEL: f64 = 200.0;
const ROW: f64 = 16.0;
const BAR: f64 = 560.0;
/// Engines beyond these are not drawn; the table's imbalance counts them all.
const ENGINES_AT_MOST: usize = 64;

/// One bar for each engine of a policy.
pub(super) struct Loads<'a>(pub(super) usize, pub(super) &'a PolicyResult);

impl fmt::Display for Loads<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, policy) = self;
        let name = Escaped(&policy.name);
        let engines = &policy.engines[..policy.engines.len().min(ENGINES_AT_MOST)];
        #[expect(clippy::cast_precision_loss, reason = "there are few engines")]
        let height = engines.len() as f64 * ROW + 4.0;
        write!(
            f,
            "<h3>{name}</h3><svg viewBox=\"0 0 900 {height}\" role=\"img\" aria-label=\"Load of each engine under {name}\">"
        )?;
        let mut y = 2.0;
        for (at, engine) in engines.iter().enumerate() {
            bar(f, *number, at, engine, y)?;
            y += ROW;
        }
        f.write_str("</svg>")?;
        let hidden = policy.engines.len() - engines.len();
        if hidden > 0 {
            write!(f, "<p>and {hidden} more engines</p>")?;
        }
        Ok(())
    }
}

fn bar(
    f: &mut fmt::Formatter<'_>,
    number: usize,
    at: usize,
    engine: &EngineUse,
    y: f64,
) -> fmt::Result {
    let EngineUse {
        class,
        role,
        busy_share,
        kv_peak,
    } = engine;
    let (colour, _) = look(number);
    let (text, thick) = (y + 10.0, ROW - 4.0);
    let role = super::rows::role(*role);
    write!(
        f,
        "<text x=\"0\" y=\"{text}\">{at} {}{role}</text>",
        Escaped(class)
    )?;
    write!(
        f,
        "<rect class=\"track\" x=\"{LABEL}\" y=\"{y}\" width=\"{BAR}\" height=\"{thick}\"/>"
    )?;
    let width = BAR * busy_share.clamp(0.0, 1.0);
    write!(
        f,
        "<rect fill=\"var(--c{colour})\" x=\"{LABEL}\" y=\"{y}\" width=\"{width:.1}\" height=\"{thick}\"/>"
    )?;
    write!(
        f,
        "<text x=\"{}\" y=\"{text}\">{:.0} % busy, KV at most {:.0} %</text>",
        LABEL + BAR + 8.0,
        busy_share * 100.0,
        kv_peak * 100.0
    )
}
