//! Curves.

use std::fmt;

use super::{axis::Axis, escape::Escaped};

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 320.0;
/// Room for the numbers: left, right, top, bottom.
const MARGIN: [f64; 4] = [56.0, 16.0, 10.0, 40.0];
/// Colours of the style sheet; a policy beyond them has one of them again, with other dashes.
const COLOURS: usize = 8;
const DASHES: [&str; 3] = ["none", "6 4", "2 3"];

/// Curves over common axes.
pub(super) struct Plot<'a> {
    /// What it shows, for those who cannot see it.
    pub(super) title: &'a str,
    /// What goes to the right.
    pub(super) x_title: &'a str,
    /// What goes up; a share of 1.
    pub(super) y_title: &'a str,
    /// Whether even steps to the right are even ratios.
    pub(super) logarithmic: bool,
    /// A value that matters, across.
    pub(super) mark: Option<f64>,
    /// Name and points of each curve, by its number.
    pub(super) curves: Vec<(usize, &'a str, Vec<[f64; 2]>)>,
}

/// The colour and dashes of a policy.
pub(super) fn look(number: usize) -> (usize, &'static str) {
    (number % COLOURS, DASHES[number / COLOURS % DASHES.len()])
}

impl Plot<'_> {
    fn axes(&self) -> (Axis, Axis) {
        let xs = self
            .curves
            .iter()
            .flat_map(|(_, _, points)| points.iter().map(|[x, _]| *x));
        let low = xs.clone().fold(f64::INFINITY, f64::min);
        let high = xs.fold(0.0, f64::max);
        let across = [MARGIN[0], WIDTH - MARGIN[1]];
        let x = if self.logarithmic {
            Axis::logarithmic([low, high], across)
        } else {
            Axis::linear([0.0, high], across)
        };
        (x, Axis::linear([0.0, 1.0], [HEIGHT - MARGIN[3], MARGIN[2]]))
    }
}

impl fmt::Display for Plot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (x, y) = self.axes();
        let title = Escaped(self.title);
        write!(
            f,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">"
        )?;
        let (left, right) = (MARGIN[0], WIDTH - MARGIN[1]);
        let (top, bottom) = (MARGIN[2], HEIGHT - MARGIN[3]);
        for tick in y.ticks() {
            let at = y.place(tick);
            write!(
                f,
                "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>"
            )?;
            write!(
                f,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{:.0} %</text>",
                left - 6.0,
                at + 4.0,
                tick * 100.0
            )?;
        }
        for tick in x.ticks() {
            let at = x.place(tick);
            write!(
                f,
                "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{top}\" y2=\"{bottom}\"/>"
            )?;
            write!(
                f,
                "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                bottom + 16.0,
                number(tick)
            )?;
        }
        if let Some(mark) = self.mark {
            let at = y.place(mark);
            write!(
                f,
                "<line class=\"mark\" x1=\"{left}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>"
            )?;
        }
        write!(
            f,
            "<text x=\"{right}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            bottom + 34.0,
            Escaped(self.x_title)
        )?;
        write!(
            f,
            "<text x=\"{left}\" y=\"{}\">{}</text>",
            bottom + 34.0,
            Escaped(self.y_title)
        )?;
        for (number, name, points) in &self.curves {
            let (colour, dash) = look(*number);
            write!(
                f,
                "<polyline class=\"curve\" stroke=\"var(--c{colour})\" stroke-dasharray=\"{dash}\" points=\""
            )?;
            for [px, py] in points {
                write!(f, "{:.1},{:.1} ", x.place(*px), y.place(*py))?;
            }
            write!(f, "\"><title>{}</title></polyline>", Escaped(name))?;
        }
        f.write_str("</svg>")
    }
}

/// A number at an axis: as short as it can be.
fn number(value: f64) -> String {
    if value >= 10.0 || value == 0.0 {
        format!("{value:.0}")
    } else if value >= 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}
