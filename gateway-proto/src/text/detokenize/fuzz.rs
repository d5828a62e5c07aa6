//! Bodies of the fuzz targets.

use std::sync::{Arc, LazyLock};

use super::super::tokenize::Tokenizer;
use super::{DetokenizeOptions, Detokenizer, StopMatcher, StopOptions};

static SMALL: LazyLock<Arc<Tokenizer>> = LazyLock::new(|| {
    let file = include_bytes!("../../../testdata/models/small/tokenizer.json");
    Arc::new(Tokenizer::from_json(file).expect("a sound file"))
});

/// Any ids, streamed, give the text of the whole list, but for a character that the end cuts off; nothing else is lost and
/// nothing is said twice.
pub fn detokenize(data: &[u8]) {
    let pairs = data.chunks_exact(2);
    let ids: Vec<u32> = pairs
        .map(|pair| u32::from(u16::from_le_bytes([pair[0], pair[1]])) % 4200)
        .collect();
    let options = DetokenizeOptions {
        keep_special: true,
        ..DetokenizeOptions::default()
    };
    let mut detokenizer = Detokenizer::new(SMALL.clone(), options);
    let mut text = String::new();
    for id in &ids {
        detokenizer.push(*id, &mut text);
    }
    let is_whole = detokenizer.is_whole();
    detokenizer.finish(&mut text);
    if !is_whole {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    assert_eq!(Some(text), SMALL.decode(&ids));
    let unknown = ids.iter().filter(|id| SMALL.bytes_of(**id).is_none());
    assert_eq!(detokenizer.unknown_ids(), unknown.count() as u64);
}

/// The first line holds the stop strings between spaces, the rest is the text: however it is cut, the result is one.
pub fn stops(data: &[u8]) {
    let Some((stops, text)) = str::from_utf8(data)
        .ok()
        .and_then(|all| all.split_once('\n'))
    else {
        return;
    };
    let stops = stops.split(' ').filter(|stop| !stop.is_empty());
    let options = StopOptions {
        stops: stops.map(ToOwned::to_owned).collect(),
        ..StopOptions::default()
    };
    let Ok(matcher) = StopMatcher::new(options) else {
        return;
    };
    let run = |size: usize| {
        let (mut matcher, mut out, mut found) = (matcher.clone(), String::new(), None);
        let characters: Vec<char> = text.chars().collect();
        for part in characters.chunks(size) {
            let part: String = part.iter().collect();
            found = found.or(matcher.push(&part, 1, &mut out));
        }
        matcher.finish(&mut out);
        (out, found)
    };
    let whole = run(usize::MAX);
    assert!(text.starts_with(&whole.0));
    for size in [1, 2, 5] {
        assert_eq!(run(size), whole, "parts of {size}");
    }
}
