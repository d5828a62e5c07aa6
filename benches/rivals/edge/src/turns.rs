//! The prompts of 20 turns, the last of 30 KB: each encoded anew, and with what came before remembered.

use std::hint::black_box;
use std::sync::Arc;

use gateway_benches::{Conversation, Model};
use gateway_proto::openai::chat;
use gateway_proto::text::template::{LocalTime, SpecialTokens, Template, TemplateSource};
use gateway_proto::text::tokenize::{CacheConfig, Tokenizer, TurnCache};
use llm_tokenizer::traits::Encoder;
use llm_tokenizer::{CacheConfig as TheirConfig, CachedTokenizer, HuggingFaceTokenizer};

use crate::table::{head, nanos, row};

pub fn run() {
    head(&[
        "20 turns, ms",
        "gateway-proto plain",
        "TurnCache",
        "llm-tokenizer plain",
        "its L1 cache",
    ]);
    for model in Model::ALL {
        let prompts = prompts(model);
        let files = model.files();
        let config = files
            .tokenizer_config
            .as_deref()
            .expect("every model here has one");
        let ours = Arc::new(Tokenizer::from_files(&files.tokenizer, config).expect("sound files"));
        let path = model.folder().join("tokenizer.json");
        let theirs = HuggingFaceTokenizer::from_file(path.to_str().expect("a plain path"))
            .expect("a sound file");
        println!(
            "<!-- {}: its encode path is {:?} -->",
            model.name(),
            theirs.encode_path()
        );
        let theirs = Arc::new(theirs);
        check(&prompts, &ours, &theirs);
        let figures = [
            nanos(
                || (),
                |()| {
                    prompts
                        .iter()
                        .for_each(|prompt| drop(black_box(ours.encode(prompt, false))))
                },
            ),
            nanos(
                || TurnCache::new(Arc::clone(&ours), &CacheConfig::default()),
                |cache| {
                    prompts
                        .iter()
                        .for_each(|prompt| drop(black_box(cache.encode(prompt, false))))
                },
            ),
            nanos(
                || (),
                |()| {
                    prompts
                        .iter()
                        .for_each(|prompt| drop(black_box(theirs.encode(prompt, false))))
                },
            ),
            cached(&prompts, &theirs),
        ];
        row(model.name(), &figures.map(Some), 1e6);
    }
}

/// Emptied before each pass, as ours is made anew.
fn cached(prompts: &[String], theirs: &Arc<HuggingFaceTokenizer>) -> f64 {
    let config = TheirConfig {
        enable_l1: true,
        ..TheirConfig::default()
    };
    let cache = CachedTokenizer::new(Arc::clone(theirs) as _, config);
    nanos(
        || cache.clear_cache(),
        |()| {
            prompts
                .iter()
                .for_each(|prompt| drop(black_box(cache.encode(prompt, false))))
        },
    )
}

fn check(prompts: &[String], ours: &Tokenizer, theirs: &HuggingFaceTokenizer) {
    for prompt in prompts {
        let wanted = ours.encode(prompt, false).expect("encodes");
        assert_eq!(
            theirs.encode(prompt, false).expect("encodes").token_ids(),
            wanted
        );
    }
}

fn prompts(model: Model) -> Vec<String> {
    let files = model.files();
    let config = files
        .tokenizer_config
        .as_deref()
        .expect("every model here has one");
    let source = TemplateSource::from_files(files.chat_template.as_deref(), Some(config))
        .expect("a template");
    let tokens = SpecialTokens::from_config(config).expect("a sound file");
    let template = Template::compile(source.for_tools(true).expect("a template"), tokens)
        .expect("a sound template");
    let conversation = Conversation::new(2, 20, 30_000);
    let prompt = |turn| {
        let request = chat::decode_request(&conversation.chat_body(turn)).expect("a good body");
        template
            .render(&request, LocalTime::from_unix(0, 0))
            .expect("renders")
    };
    (0..conversation.rounds()).map(prompt).collect()
}
