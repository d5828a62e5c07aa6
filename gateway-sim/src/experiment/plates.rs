//! What data sheets say of chips.

/// Nameplate rates of one engine: all its chips together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plate {
    /// Peak dense bf16 rate, in 10^12 operations a second.
    pub tflops: f64,
    /// Memory bandwidth, in 10^9 bytes a second.
    pub hbm_gbs: f64,
    /// Network bandwidth, in 10^9 bytes a second.
    pub nic_gbs: f64,
    /// Bytes of KV cache per token: the model's, whatever the chip.
    pub kv_bytes_per_token: f64,
}

/// Chip; 10^12 operations a second, 10^9 bytes of memory and of network a second, of one chip.
const CHIPS: [(&str, [f64; 3]); 7] = [
    ("h100", [989.0, 3_350.0, 50.0]),
    ("h200", [989.0, 4_800.0, 50.0]),
    ("b200", [2_250.0, 8_000.0, 50.0]),
    ("a100", [312.0, 2_039.0, 25.0]),
    ("l40s", [362.0, 864.0, 25.0]),
    ("mi300x", [1_307.0, 5_300.0, 50.0]),
    ("910b", [313.0, 1_600.0, 50.0]),
];
/// Model size; bytes of KV cache per token, bf16 (Llama 3).
const MODELS: [(&str, f64); 2] = [("8b", 131_072.0), ("70b", 327_680.0)];

impl Plate {
    /// The plate of a profile, named as in [`ChipProfile::names`](crate::model::ChipProfile::names): `8b-h100`,
    /// `70b-a100-tp4`.
    #[must_use]
    pub fn named(profile: &str) -> Option<Self> {
        let mut parts = profile.split('-');
        let (model, chip) = (parts.next()?, parts.next()?);
        let chips = match parts.next() {
            Some(part) => f64::from(part.strip_prefix("tp")?.parse::<u8>().ok()?),
            None => 1.0,
        };
        let (_, kv_bytes_per_token) = *MODELS.iter().find(|(name, _)| *name == model)?;
        let (_, [tflops, hbm_gbs, nic_gbs]) = *CHIPS.iter().find(|(name, _)| *name == chip)?;
        Some(Self {
            tflops: tflops * chips,
            hbm_gbs: hbm_gbs * chips,
            nic_gbs,
            kv_bytes_per_token,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ChipProfile;

    #[test]
    fn every_profile_has_a_plate() {
        for name in ChipProfile::names() {
            assert!(Plate::named(name).is_some(), "{name}");
        }
        let four = Plate::named("70b-h100-tp4").unwrap();
        assert_eq!((four.tflops, four.hbm_gbs), (3_956.0, 13_400.0));
        assert_eq!(four.kv_bytes_per_token, 327_680.0);
        for unknown in ["", "8b", "8b-abacus", "9b-h100", "8b-h100-x4", "8b-h100-tp"] {
            assert_eq!(Plate::named(unknown), None, "{unknown}");
        }
    }
}
