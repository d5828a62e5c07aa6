//! What can be wrong with a voice.

use std::io;
use std::path::PathBuf;

use gateway_proto::text::model::ModelError;

/// Why a model's files or its script are of no use.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The template is no text.
    #[error("chat_template.jinja is not UTF-8")]
    Encoding,
    /// A file is broken.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The script is not of its form.
    #[error("not a script: {0}")]
    Script(serde_json::Error),
}
