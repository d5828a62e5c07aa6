//! Chips by name: what their data sheets say.

use super::Hardware;

/// A chip's public figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chip {
    /// The name in configuration, which is also its class.
    pub name: &'static str,
    /// Peak dense matrix rate in 16 bits, in 10^12 operations a second.
    pub tflops: f64,
    /// Memory bandwidth in 10^9 bytes a second.
    pub hbm_gbs: f64,
}

const fn chip(name: &'static str, tflops: f64, hbm_gbs: f64) -> Chip {
    Chip {
        name,
        tflops,
        hbm_gbs,
    }
}

impl Chip {
    /// All chips that are known. Source: the makers' data sheets, SXM or OAM form where there are several.
    pub const ALL: [Self; 7] = [
        chip("h100", 989.0, 3_350.0),
        chip("h200", 989.0, 4_800.0),
        chip("b200", 2_250.0, 8_000.0),
        chip("a100", 312.0, 2_039.0),
        chip("l40s", 362.0, 864.0),
        chip("mi300x", 1_307.0, 5_300.0),
        chip("910b", 313.0, 1_600.0),
    ];

    /// The chip of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|chip| chip.name == name)
    }

    /// The rates of an engine on `count` of these chips, and the class of engines that equal it.
    #[must_use]
    pub fn hardware(self, count: u32) -> Hardware {
        let count = count.max(1);
        let class = if count == 1 {
            self.name.to_owned()
        } else {
            format!("{}x{count}", self.name)
        };
        Hardware {
            class: Some(class),
            tflops: Some(self.tflops * f64::from(count)),
            hbm_gbs: Some(self.hbm_gbs * f64::from(count)),
            ..Hardware::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_rates_add_up() {
        for chip in Chip::ALL {
            assert_eq!(Chip::named(chip.name), Some(chip));
            let one = chip.hardware(1);
            assert_eq!(one.class.as_deref(), Some(chip.name));
            assert!(one.has_rates() && one.prior().is_sound(), "{}", chip.name);
        }
        assert_eq!(Chip::named("abacus"), None);
        let four = Chip::named("h100").expect("known").hardware(4);
        assert_eq!(four.class.as_deref(), Some("h100x4"));
        assert_eq!((four.tflops, four.hbm_gbs), (Some(3_956.0), Some(13_400.0)));
        assert_eq!(Chip::ALL[0].hardware(0), Chip::ALL[0].hardware(1));
    }
}
