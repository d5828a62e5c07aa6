//! Strings that clients carry back to us and need not understand: `encrypted_content`.
//!
//! They are encoded, not secret: base64 of the text behind a tag with a version. What they hold, the caller has been
//! told in the clear or could ask for. The tag lets a reader tell ours from those of another provider, which it leaves
//! alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// What an opaque string stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The text of a reasoning item.
    Reasoning,
    /// The items that a compaction item stands for, as a JSON array.
    Compaction,
}

impl Kind {
    fn tag(self) -> &'static str {
        match self {
            Self::Reasoning => "igr1.",
            Self::Compaction => "igc1.",
        }
    }
}

/// The opaque form of `text`.
pub(super) fn seal(kind: Kind, text: &str) -> String {
    let mut out = kind.tag().to_owned();
    STANDARD_NO_PAD.encode_string(text, &mut out);
    out
}

/// The text behind an opaque string; `None` for one of another kind, version or maker, and for a damaged one.
pub(super) fn open(kind: Kind, sealed: &str) -> Option<String> {
    let encoded = sealed.strip_prefix(kind.tag())?;
    String::from_utf8(STANDARD_NO_PAD.decode(encoded).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strangers_are_left_alone() {
        let ours = seal(Kind::Reasoning, "so");
        assert_eq!(open(Kind::Compaction, &ours), None);
        assert_eq!(open(Kind::Reasoning, "gAAAAABpM0Yj"), None);
        assert_eq!(open(Kind::Reasoning, "igr1.%%%"), None);
        assert_eq!(open(Kind::Reasoning, "igr1./w"), None, "no UTF-8");
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(text in any::<String>()) {
            let sealed = seal(Kind::Reasoning, &text);
            prop_assert_eq!(open(Kind::Reasoning, &sealed), Some(text));
        }
    }
}
