//! The special tokens of `tokenizer_config.json`.

use serde::Deserialize;
use serde_json::Value as Json;

use super::TemplateError;

/// Special tokens that templates may name. `None` leaves the variable undefined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    /// `bos_token`.
    pub bos: Option<String>,
    /// `eos_token`.
    pub eos: Option<String>,
    /// `pad_token`.
    pub pad: Option<String>,
    /// `unk_token`.
    pub unk: Option<String>,
    /// `sep_token`.
    pub sep: Option<String>,
    /// `cls_token`.
    pub cls: Option<String>,
    /// `mask_token`.
    pub mask: Option<String>,
}

#[derive(Deserialize)]
struct Config {
    bos_token: Option<Json>,
    eos_token: Option<Json>,
    pad_token: Option<Json>,
    unk_token: Option<Json>,
    sep_token: Option<Json>,
    cls_token: Option<Json>,
    mask_token: Option<Json>,
}

impl SpecialTokens {
    /// Reads `tokenizer_config.json`, where a token is a text or an object with `content`.
    ///
    /// # Errors
    /// [`TemplateError::Config`] for what is no JSON object.
    pub fn from_config(tokenizer_config: &[u8]) -> Result<Self, TemplateError> {
        let config: Config = serde_json::from_slice(tokenizer_config)?;
        Ok(Self {
            bos: text(config.bos_token),
            eos: text(config.eos_token),
            pad: text(config.pad_token),
            unk: text(config.unk_token),
            sep: text(config.sep_token),
            cls: text(config.cls_token),
            mask: text(config.mask_token),
        })
    }

    /// Names as templates know them, with the tokens.
    pub(super) fn named(&self) -> [(&'static str, Option<&str>); 7] {
        [
            ("bos_token", self.bos.as_deref()),
            ("eos_token", self.eos.as_deref()),
            ("pad_token", self.pad.as_deref()),
            ("unk_token", self.unk.as_deref()),
            ("sep_token", self.sep.as_deref()),
            ("cls_token", self.cls.as_deref()),
            ("mask_token", self.mask.as_deref()),
        ]
    }
}

fn text(token: Option<Json>) -> Option<String> {
    match token? {
        Json::String(text) => Some(text),
        Json::Object(mut token) => match token.remove("content")? {
            Json::String(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_texts_or_objects() {
        let config = br#"{"bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": false}, "pad_token": null}"#;
        let tokens = SpecialTokens::from_config(config).unwrap();
        assert_eq!(tokens.bos.as_deref(), Some("<s>"));
        assert_eq!(tokens.eos.as_deref(), Some("</s>"));
        assert_eq!(tokens.pad, None);
        assert!(SpecialTokens::from_config(b"[").is_err());
    }
}
