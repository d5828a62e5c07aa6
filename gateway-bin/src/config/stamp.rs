//! Whether a model's files are still those that were read.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

/// What a model was made of: its files' names, times and sizes, and what the configuration says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelStamp(Arc<Made>);

#[derive(Debug, PartialEq, Eq)]
struct Made {
    files: Vec<(PathBuf, Option<(SystemTime, u64)>)>,
    options: String,
}

impl ModelStamp {
    /// The stamp of `files` as they are now; one that is not there counts too, since it may come.
    pub(super) fn now(files: Vec<PathBuf>, options: String) -> Self {
        let files = files.into_iter().map(|file| {
            let seen = look(&file);
            (file, seen)
        });
        Self(Arc::new(Made {
            files: files.collect(),
            options,
        }))
    }
}

fn look(file: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
