//! Token ids to text, one by one.

use std::hint::black_box;
use std::sync::Arc;

use gateway_benches::{Model, Prose};
use gateway_proto::text::detokenize::{DetokenizeOptions, Detokenizer};
use gateway_proto::text::tokenize::Tokenizer;
use llm_tokenizer::{DecodeStream, HuggingFaceTokenizer, Sequence};

use crate::table::{head, is_equal, nanos, row};

pub fn run() {
    head(&[
        "ns a token",
        "gateway-proto",
        "llm-tokenizer Sequence",
        "its DecodeStream",
    ]);
    let text =
        Prose::new(3).text(8_000) + "\u{4f60}\u{597d}\u{ff0c}\u{4e16}\u{754c} \u{1f44d}\u{1f3fd}";
    for model in Model::ALL {
        let tokenizer =
            Arc::new(Tokenizer::from_json(&model.files().tokenizer).expect("a sound file"));
        let path = model.folder().join("tokenizer.json");
        let path = path.to_str().expect("a plain path");
        let theirs: Arc<dyn llm_tokenizer::TokenizerTrait> =
            Arc::new(HuggingFaceTokenizer::from_file(path).expect("a sound file"));
        let ids = tokenizer.encode(&text, false).expect("encodes");
        let ours = || {
            let options = DetokenizeOptions {
                keep_special: true,
                continues: true,
                ..DetokenizeOptions::default()
            };
            let (mut detokenizer, mut out) = (
                Detokenizer::new(Arc::clone(&tokenizer), options),
                String::new(),
            );
            ids.iter().for_each(|id| detokenizer.push(*id, &mut out));
            detokenizer.finish(&mut out);
            out
        };
        let sequence = || {
            let mut sequence = Sequence::new_with_options(Arc::clone(&theirs), false);
            let mut out: String = ids
                .iter()
                .map(|id| sequence.append_token(*id).expect("decodes"))
                .collect();
            out += &sequence.finish().expect("decodes");
            out
        };
        let stream = || {
            let mut stream = DecodeStream::new(Arc::clone(&theirs), &[], false);
            let mut out: String = ids
                .iter()
                .filter_map(|id| stream.step(*id).expect("decodes"))
                .collect();
            out += &stream.flush().expect("decodes").unwrap_or_default();
            out
        };
        assert_eq!(ours(), text);
        is_equal("Sequence", &text, &sequence());
        is_equal("DecodeStream", &text, &stream());
        let figures = [
            nanos(|| (), |()| drop(black_box(ours()))),
            nanos(|| (), |()| drop(black_box(sequence()))),
            nanos(|| (), |()| drop(black_box(stream()))),
        ];
        row(model.name(), &figures.map(Some), ids.len() as f64);
    }
}
