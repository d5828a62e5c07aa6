//! A tokenizer, loaded.

use super::boundary::Boundaries;
use super::config::Config;
use super::decoder::Decoder;
use super::error::TokenizerError;
use super::shape::Shape;
use super::special::SpecialTokens;
use super::vocabulary::{TokenBytes, Vocabulary};

/// Texts whose ids are compared to learn what stands around a text.
const PROBES: [&str; 3] = ["a b", "One, two.", "7"];

/// Text to token ids, and the bytes of every id.
///
/// Truncation and padding that the file may carry are switched off, as `transformers` does for a prompt. Encoding is
/// synchronous and takes about 0.25 ms per KB: hand long texts to a thread of their own.
#[derive(Debug)]
pub struct Tokenizer {
    pub(super) inner: tokenizers::Tokenizer,
    vocabulary: Vocabulary,
    decoder: Decoder,
    affixes: Option<Affixes>,
    special: SpecialTokens,
    boundaries: Boundaries,
}

/// What is put around a text where special tokens are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Affixes {
    pub(super) before: Vec<u32>,
    pub(super) after: Vec<u32>,
}

impl Tokenizer {
    /// Reads `tokenizer.json`.
    ///
    /// # Errors
    /// The file is truncated, lacks a part, or has a part that cannot be understood; the error names it.
    pub fn from_json(file: &[u8]) -> Result<Self, TokenizerError> {
        Self::load(file, &Config::default())
    }

    /// Reads `tokenizer.json` together with `tokenizer_config.json`, which names the special tokens and may add some to
    /// the vocabulary.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json), and if the configuration is no JSON object or names a token that cannot be.
    pub fn from_files(file: &[u8], config: &[u8]) -> Result<Self, TokenizerError> {
        Self::load(file, &Config::read(config)?)
    }

    fn load(file: &[u8], config: &Config) -> Result<Self, TokenizerError> {
        let shape = Shape::read(file)?;
        let mut inner = tokenizers::Tokenizer::from_bytes(file).map_err(TokenizerError::Whole)?;
        inner.with_padding(None);
        inner.with_truncation(None).map_err(TokenizerError::Whole)?;
        add_tokens(&mut inner, config)?;
        inner.set_encode_special_tokens(config.splits_special());
        let decoder = Decoder::read(&shape.decoder);
        let vocabulary = Vocabulary::new(&inner, &decoder)?;
        let id = |text: &str| inner.token_to_id(text);
        let special = SpecialTokens::new(config.named().map(|(name, text)| {
            let id = id(&text);
            (name, text, id)
        }));
        let affixes = probed(&inner)?;
        let boundaries = Boundaries::find(&inner, &shape)?;
        Ok(Self {
            inner,
            vocabulary,
            decoder,
            affixes,
            special,
            boundaries,
        })
    }

    /// The ids of `text`; with `add_special_tokens`, also those that the tokenizer puts around every text (a rendered chat
    /// template holds them already).
    ///
    /// # Errors
    /// The tokenizer has no token for some part of the text and none for what is unknown.
    pub fn encode(&self, text: &str, add_special_tokens: bool) -> Result<Vec<u32>, TokenizerError> {
        match self.around(add_special_tokens) {
            Some(Affixes { before, after }) => {
                let mut ids = before.clone();
                self.encode_into(text, &mut ids, 0)?;
                ids.extend_from_slice(after);
                Ok(ids)
            }
            None => {
                let encoding = self.inner.encode_fast(text, true);
                Ok(encoding.map_err(TokenizerError::Encode)?.get_ids().to_vec())
            }
        }
    }

    /// Appends the ids of `text` but for the first `skip`.
    pub(super) fn encode_into(
        &self,
        text: &str,
        out: &mut Vec<u32>,
        skip: usize,
    ) -> Result<(), TokenizerError> {
        let encoding = self.inner.encode_fast(text, false);
        let encoding = encoding.map_err(TokenizerError::Encode)?;
        out.extend_from_slice(encoding.get_ids().get(skip..).unwrap_or_default());
        Ok(())
    }

    /// What stands around a text; `None` where that depends on the text.
    pub(super) fn around(&self, add_special_tokens: bool) -> Option<&Affixes> {
        static NOTHING: Affixes = Affixes {
            before: Vec::new(),
            after: Vec::new(),
        };
        if add_special_tokens {
            self.affixes.as_ref()
        } else {
            Some(&NOTHING)
        }
    }

    /// How many tokens `text` has, without those put around it.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn count(&self, text: &str) -> Result<usize, TokenizerError> {
        let encoding = self.inner.encode_fast(text, false);
        Ok(encoding.map_err(TokenizerError::Encode)?.len())
    }

    /// The largest id plus one, added tokens included. Some ids below may have no token.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.vocabulary.size()
    }

    /// The id of a token, given as the vocabulary writes it (special tokens: their text).
    #[must_use]
    pub fn id_of(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The token with this id, as the vocabulary writes it.
    #[must_use]
    pub fn token_of(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// Whether plain text leaves the token out.
    #[must_use]
    pub fn is_special(&self, id: u32) -> bool {
        self.vocabulary.token(id).is_some_and(|token| token.special)
    }

    /// The bytes that a token stands for in the middle of a text; perhaps a part of a character. `None` where there is no
    /// such token.
    #[must_use]
    pub fn bytes_of(&self, id: u32) -> Option<&[u8]> {
        self.vocabulary.token(id).map(|token| token.bytes)
    }

    /// The special tokens that the configuration names.
    #[must_use]
    pub fn special_tokens(&self) -> &SpecialTokens {
        &self.special
    }

    /// Where a text may be cut without changing its ids.
    #[must_use]
    pub fn boundaries(&self) -> &Boundaries {
        &self.boundaries
    }

    pub(in crate::text) fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    pub(in crate::text) fn token(&self, id: u32) -> Option<TokenBytes<'_>> {
        self.vocabulary.token(id)
    }

    /// Decodes a whole list of ids, as the decoder of the file does. Ids without a token are left out.
    pub(in crate::text) fn decode(&self, ids: &[u32]) -> Option<String> {
        self.inner.decode(ids, false).ok()
    }
}

fn add_tokens(inner: &mut tokenizers::Tokenizer, config: &Config) -> Result<(), TokenizerError> {
    inner
        .add_tokens(config.listed())
        .map_err(TokenizerError::Special)?;
    inner
        .add_special_tokens(config.special())
        .map_err(TokenizerError::Special)?;
    Ok(())
}

/// What the post-processor puts around a text, where that is the same for every text.
fn probed(inner: &tokenizers::Tokenizer) -> Result<Option<Affixes>, TokenizerError> {
    let mut found: Option<Affixes> = None;
    for probe in PROBES {
        let encode = |add| {
            inner
                .encode_fast(probe, add)
                .map_err(TokenizerError::Encode)
        };
        let (whole, plain) = (encode(true)?, encode(false)?);
        let (whole, plain) = (whole.get_ids(), plain.get_ids());
        let starts = 0..=whole.len().saturating_sub(plain.len());
        let Some(at) = starts
            .into_iter()
            .find(|at| whole[*at..].starts_with(plain))
        else {
            return Ok(None);
        };
        let affixes = Affixes {
            before: whole[..at].to_vec(),
            after: whole[at + plain.len()..].to_vec(),
        };
        if found.get_or_insert_with(|| affixes.clone()) != &affixes {
            return Ok(None);
        }
    }
    Ok(found)
}
