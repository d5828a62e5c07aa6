//! Where installed parts are kept, from one run to the next.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::{host, source};

/// Raised when the installing code changes, so that older installations are made anew.
const STEPS: u32 = 2;

/// A cache folder of parts, each with a stamp of what it was made from.
#[derive(Debug, Clone)]
pub(in super::super) struct Store {
    pub(in super::super) root: PathBuf,
    lists: PathBuf,
}

impl Store {
    /// `$GATEWAY_ENGINES_DIR`, or a folder in the user's cache. `lists` has a folder for each part, with what pins it.
    pub(in super::super) fn open(lists: PathBuf) -> Result<Self> {
        let root = match host::var("GATEWAY_ENGINES_DIR") {
            Some(dir) => PathBuf::from(dir),
            None => host::cache_dir()?.join("inference-gateway/engines"),
        };
        fs::create_dir_all(&root).with_context(|| format!("creating {}", root.display()))?;
        Ok(Self { root, lists })
    }

    /// The folder of what pins `part`.
    pub(super) fn list(&self, part: &str) -> PathBuf {
        self.lists.join(part)
    }

    /// Whether any installation of `part`, of this list or an older one, is there.
    pub(in super::super) fn holds(&self, part: &str) -> bool {
        self.stamp(part).is_file()
    }

    /// The folder of `part`, which `fill` fills unless a finished one of the same list and `pins` is there.
    ///
    /// Other runs that want the same part wait meanwhile.
    pub(super) fn part(
        &self,
        part: &str,
        pins: &[&str],
        fill: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let folder = self.root.join(part);
        let wanted = self.fingerprint(part, pins)?;
        let lock = self.root.join(format!("{part}.lock"));
        let lock = File::create(&lock).with_context(|| format!("creating {}", lock.display()))?;
        lock.lock().context("waiting for another installation")?;
        let stamp = self.stamp(part);
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(folder);
        }
        println!("installing {part} into {}", folder.display());
        remove_dir(&folder)?;
        fill(&folder)?;
        fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))?;
        Ok(folder)
    }

    fn stamp(&self, part: &str) -> PathBuf {
        self.root.join(format!("{part}.stamp"))
    }

    fn fingerprint(&self, part: &str, pins: &[&str]) -> Result<String> {
        let mut hash = Sha256::new();
        hash.update(format!("{STEPS} {}", pins.join(" ")));
        let list = self.list(part);
        if list.is_dir() {
            for file in source::files(&list)? {
                hash.update(
                    fs::read(&file).with_context(|| format!("reading {}", file.display()))?,
                );
            }
        }
        let bytes = hash.finalize();
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

pub(super) fn remove_dir(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", dir.display()))
        }
        _ => Ok(()),
    }
}
