//! The files of a model in the Hugging Face layout, as bytes.

/// What a model's folder holds. Only the tokenizer must be there.
#[derive(Clone, Debug, Default)]
pub struct ModelFiles {
    /// `tokenizer.json`.
    pub tokenizer: Vec<u8>,
    /// `tokenizer_config.json`: special tokens, and the template where it has no file of its own.
    pub tokenizer_config: Option<Vec<u8>>,
    /// `chat_template.jinja`.
    pub chat_template: Option<String>,
    /// `generation_config.json`: sampling defaults and the tokens that end an answer.
    pub generation_config: Option<Vec<u8>>,
    /// `config.json`: the length of the context.
    pub config: Option<Vec<u8>>,
}
