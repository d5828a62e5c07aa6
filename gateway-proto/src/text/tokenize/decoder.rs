//! What a tokenizer's decoder does to tokens, where that can be said token by token.

use serde_json::Value;

/// How tokens become text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::text) enum Decoder {
    /// Each token is a run of bytes; the text is their concatenation read as UTF-8.
    ByteLevel,
    /// Each token is text or, with byte fallback, one byte.
    Pieces(Pieces),
    /// Tokens depend on their neighbours in a way that only the decoder itself knows.
    Other,
}

/// Decoders in the way of SentencePiece: replace, byte fallback, fuse, strip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::text) struct Pieces {
    /// Replacements within a token, in order.
    pub(in crate::text) replace: Vec<(String, String)>,
    /// Tokens such as `<0x0A>` are bytes.
    pub(in crate::text) byte_fallback: bool,
    /// Removed from the start of the text: this character, up to so many times.
    pub(in crate::text) strip: Option<(char, usize)>,
    /// Removed wherever it occurs in the first token.
    pub(in crate::text) first_without: Option<char>,
}

impl Decoder {
    /// Reads the `decoder` member of `tokenizer.json`.
    pub(super) fn read(decoder: &Value) -> Self {
        let mut steps = Vec::new();
        flatten(decoder, &mut steps);
        if let [step] = *steps {
            match kind(step) {
                "ByteLevel" => return Self::ByteLevel,
                "Metaspace" => return metaspace(step).map_or(Self::Other, Self::Pieces),
                _ => {}
            }
        }
        pieces(&steps).map_or(Self::Other, Self::Pieces)
    }
}

fn flatten<'a>(decoder: &'a Value, out: &mut Vec<&'a Value>) {
    match decoder["decoders"].as_array() {
        Some(steps) if kind(decoder) == "Sequence" => {
            for step in steps {
                flatten(step, out);
            }
        }
        _ => out.push(decoder),
    }
}

fn kind(step: &Value) -> &str {
    step["type"].as_str().unwrap_or_default()
}

fn metaspace(step: &Value) -> Option<Pieces> {
    let mark = character(&step["replacement"])?;
    let never = step["prepend_scheme"] == "never" || step["add_prefix_space"] == false;
    Some(Pieces {
        replace: vec![(mark.to_string(), " ".to_owned())],
        first_without: (!never).then_some(mark),
        ..Pieces::default()
    })
}

/// Replacements, then byte fallback, then fuse, then a strip at the start: each at most once but the first, in this order.
fn pieces(steps: &[&Value]) -> Option<Pieces> {
    let mut found = Pieces::default();
    let (mut stage, mut fused) = (0, false);
    for step in steps {
        let next = match kind(step) {
            "Replace" => {
                let from = step["pattern"]["String"]
                    .as_str()
                    .filter(|s| !s.is_empty())?;
                let to = step["content"].as_str()?;
                found.replace.push((from.to_owned(), to.to_owned()));
                0
            }
            "ByteFallback" => {
                found.byte_fallback = true;
                1
            }
            "Fuse" => {
                fused = true;
                2
            }
            "Strip" if fused && step["stop"] == 0 => {
                let times = usize::try_from(step["start"].as_u64()?).ok()?;
                found.strip = Some((character(&step["content"])?, times));
                3
            }
            _ => return None,
        };
        if next < stage || (next == stage && next != 0) {
            return None;
        }
        stage = next;
    }
    // Tokens that are not fused are joined without anything between them all the same.
    (!steps.is_empty()).then_some(found)
}

fn character(value: &Value) -> Option<char> {
    let mut characters = value.as_str()?.chars();
    let first = characters.next()?;
    characters.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn known_decoders() {
        assert_eq!(
            Decoder::read(&json!({"type": "ByteLevel"})),
            Decoder::ByteLevel
        );
        let llama = json!({"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "\u{2581}"}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ]});
        let Decoder::Pieces(pieces) = Decoder::read(&llama) else {
            panic!("not known");
        };
        assert!(pieces.byte_fallback && pieces.strip == Some((' ', 1)));
        let metaspace = json!({"type": "Metaspace", "replacement": "\u{2581}"});
        let Decoder::Pieces(pieces) = Decoder::read(&metaspace) else {
            panic!("not known");
        };
        assert_eq!(pieces.first_without, Some('\u{2581}'));
    }

    #[test]
    fn what_is_not_certain_is_left_to_the_decoder_itself() {
        let strip_each = json!({"type": "Sequence", "decoders": [
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}, {"type": "Fuse"},
        ]});
        let pattern = json!({"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"Regex": "a+"}, "content": " "},
        ]});
        for other in [
            json!(null),
            json!({"type": "WordPiece"}),
            strip_each,
            pattern,
        ] {
            assert_eq!(Decoder::read(&other), Decoder::Other, "{other}");
        }
    }
}
