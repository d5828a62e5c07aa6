//! A model, made from its files.

use std::sync::Arc;

use super::defaults::{Defaults, GenerationConfig, ModelConfig};
use super::reader::Closings;
use super::templates::Templates;
use super::{ModelError, ModelFiles, ModelOptions};
use crate::text::parse::ParserSpec;
use crate::text::tokenize::{CacheConfig, CacheStats, Tokenizer, TokenizerError, TurnCache};

/// A model at the edge. Made once, shared by all requests.
#[derive(Debug)]
pub struct TextModel {
    pub(super) tokenizer: Arc<Tokenizer>,
    pub(super) turns: TurnCache,
    pub(super) templates: Option<Templates>,
    pub(super) spec: ParserSpec,
    pub(super) closings: Closings,
    pub(super) ends: Arc<[u32]>,
    pub(super) kept: Arc<[u32]>,
    pub(super) stops: Vec<String>,
    pub(super) defaults: Defaults,
    pub(super) context_tokens: u32,
    pub(super) allows_request_templates: bool,
}

impl TextModel {
    /// Reads a model's files.
    ///
    /// # Errors
    /// Which file is broken and how; what has to be told because no file says it.
    pub fn load(files: &ModelFiles, options: &ModelOptions) -> Result<Self, ModelError> {
        let generation = GenerationConfig::parse(files.generation_config.as_deref())?;
        let config = ModelConfig::parse(files.config.as_deref())?;
        let tokenizer = Arc::new(match &files.tokenizer_config {
            Some(config) => Tokenizer::from_files(&files.tokenizer, config)?,
            None => Tokenizer::from_json(&files.tokenizer)?,
        });
        let templates = Templates::of(files)?;
        let spec = spec(templates.as_ref(), options);
        let ends = ends(&tokenizer, &generation, &config, options)?;
        let context_tokens = options.context_tokens.or(config.context_tokens());
        Ok(Self {
            kept: kept(&spec, &tokenizer)?,
            closings: Closings::of(&spec, &tokenizer)?,
            templates,
            turns: TurnCache::new(Arc::clone(&tokenizer), &turn_cache(options)),
            spec,
            ends,
            stops: options.stops.clone(),
            defaults: options.defaults.or(generation.defaults()),
            context_tokens: context_tokens.ok_or(ModelError::NoContext)?,
            allows_request_templates: options.allows_request_templates,
            tokenizer,
        })
    }

    /// Prompt and answer together, in tokens.
    #[must_use]
    pub fn context_tokens(&self) -> u32 {
        self.context_tokens
    }

    /// The tokens that end its answers, in ascending order; at least one.
    #[must_use]
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Its tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// What the cache of conversations' beginnings did so far.
    #[must_use]
    pub fn turn_cache(&self) -> CacheStats {
        self.turns.stats()
    }

    /// How its answers are read where a request says nothing else.
    #[must_use]
    pub fn parser(&self) -> &ParserSpec {
        &self.spec
    }

    /// The text of tokens, special ones included.
    #[must_use]
    pub fn text_of(&self, ids: &[u32]) -> String {
        let bytes = ids.iter().filter_map(|id| self.tokenizer.bytes_of(*id));
        String::from_utf8_lossy(&bytes.flatten().copied().collect::<Vec<u8>>()).into_owned()
    }
}

fn turn_cache(options: &ModelOptions) -> CacheConfig {
    let usual = CacheConfig::default();
    CacheConfig {
        limit_bytes: options.turn_cache_bytes.unwrap_or(usual.limit_bytes),
    }
}

/// What writes the answers: as configured, else as the template shows.
fn spec(templates: Option<&Templates>, options: &ModelOptions) -> ParserSpec {
    let (family, reasoning) = templates
        .map(|templates| ParserSpec::of_template(templates.for_tools(true).source()))
        .unwrap_or_default();
    ParserSpec {
        family: options.family.unwrap_or(family),
        reasoning: options.reasoning.clone().unwrap_or(reasoning),
        ..ParserSpec::default()
    }
}

/// The special tokens that a parser of the model's answers reads. A tag may be a special token with a word behind it, as
/// Gemma's `<|channel>thought`.
fn kept(spec: &ParserSpec, tokenizer: &Tokenizer) -> Result<Arc<[u32]>, TokenizerError> {
    let names = spec.family.special_tokens().iter();
    let mut kept: Vec<u32> = names.filter_map(|name| tokenizer.id_of(name)).collect();
    let tags = spec.reasoning.tags();
    for tag in tags.map_or([""; 2], |tags| [tags.open(), tags.close()]) {
        let is_of_tag = |id: &u32| {
            let text = tokenizer.token_of(*id);
            tokenizer.is_special(*id) && text.is_some_and(|text| tag.contains(&text))
        };
        kept.extend(
            tokenizer
                .encode(tag, false)?
                .iter()
                .filter(|id| is_of_tag(id)),
        );
    }
    Ok(kept.into())
}

/// The tokens that end an answer: of every file that names any, as engines do, and those configured.
fn ends(
    tokenizer: &Tokenizer,
    generation: &GenerationConfig,
    config: &ModelConfig,
    options: &ModelOptions,
) -> Result<Arc<[u32]>, ModelError> {
    let mut ends = generation.eos();
    ends.extend(config.eos());
    ends.extend(tokenizer.special_tokens().id("eos_token"));
    ends.extend(&options.stop_token_ids);
    ends.sort_unstable();
    ends.dedup();
    let vocabulary = tokenizer.vocab_size();
    if let Some(id) = ends.iter().find(|id| **id as usize >= vocabulary) {
        return Err(ModelError::StopToken {
            id: *id,
            vocabulary,
        });
    }
    if ends.is_empty() {
        return Err(ModelError::NoEnd);
    }
    Ok(ends.into())
}
