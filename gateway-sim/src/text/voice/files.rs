//! A model's folder in the Hugging Face layout, read.

use std::io::ErrorKind;
use std::path::Path;
use std::{fs, io};

use gateway_proto::text::model::ModelFiles;

use super::VoiceError;

/// Reads what a model's folder holds of the files that count. Only the tokenizer must be there.
pub(super) fn read(folder: &Path) -> Result<ModelFiles, VoiceError> {
    let named = |name: &str, read: io::Result<Vec<u8>>| match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(VoiceError::File {
            path: folder.join(name),
            source,
        }),
    };
    let optional = |name: &str| named(name, fs::read(folder.join(name)));
    let path = folder.join("tokenizer.json");
    let template = optional("chat_template.jinja")?.map(String::from_utf8);
    Ok(ModelFiles {
        tokenizer: fs::read(&path).map_err(|source| VoiceError::File { path, source })?,
        tokenizer_config: optional("tokenizer_config.json")?,
        chat_template: template.transpose().map_err(|_| VoiceError::Encoding)?,
        generation_config: optional("generation_config.json")?,
        config: optional("config.json")?,
    })
}
