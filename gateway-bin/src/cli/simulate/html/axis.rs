//! Scales.

/// A scale from numbers to places on paper.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    from: f64,
    to: f64,
}

impl Axis {
    /// Even steps from `low` to `high`.
    pub(super) fn linear([low, high]: [f64; 2], [from, to]: [f64; 2]) -> Self {
        Self {
            low,
            high: high.max(low + 1e-9),
            logarithmic: false,
            from,
            to,
        }
    }

    /// Even steps for even ratios, over whole powers of ten.
    pub(super) fn logarithmic([low, high]: [f64; 2], [from, to]: [f64; 2]) -> Self {
        // Without any number there is none that is least.
        let low = low.clamp(1e-3, 1e12).log10().floor();
        Self {
            low,
            high: high.clamp(1e-3, 1e15).log10().ceil().max(low + 1.0),
            logarithmic: true,
            from,
            to,
        }
    }

    /// Where a number lies; one outside the scale lies at its end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let value = if self.logarithmic {
            value.max(1e-3).log10()
        } else {
            value
        };
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.from + (self.to - self.from) * share
    }

    /// The numbers to write at the scale.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            let powers = std::iter::successors(Some(self.low), |power| Some(power + 1.0));
            let inside = powers.take_while(|power| *power <= self.high);
            return inside.map(|power| 10_f64.powf(power)).collect();
        }
        let steps = (0..=5).map(|step| f64::from(step) / 5.0);
        steps
            .map(|share| self.low + (self.high - self.low) * share)
            .collect()
    }
}
