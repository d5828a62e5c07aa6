//! Folders that are filled once.

use std::env;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Written last: a folder without it is a fetch that was cut short.
const STAMP: &str = ".complete";

/// `$XDG_CACHE_HOME/inference-gateway`, else `~/.cache/inference-gateway`.
#[must_use]
pub fn cache_root() -> PathBuf {
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir);
    base.join("inference-gateway")
}

/// The folder `key` under `root`, filled by `fill` unless that was done before. `fill` gets an empty folder; if it fails,
/// the next call starts afresh.
pub(crate) fn folder(
    root: &Path,
    key: &str,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let folder = root.join(key);
    let stamp = folder.join(STAMP);
    if stamp.is_file() {
        return Ok(folder);
    }
    fs::create_dir_all(root).with_context(|| format!("creating {}", root.display()))?;
    let lock_path = root.join(format!("{key}.lock"));
    let lock =
        File::create(&lock_path).with_context(|| format!("creating {}", lock_path.display()))?;
    // Released when the file is closed, also if this process dies.
    lock.lock()
        .with_context(|| format!("locking {}", lock_path.display()))?;
    if stamp.is_file() {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("clearing {}", folder.display()))?;
    }
    fs::create_dir(&folder).with_context(|| format!("creating {}", folder.display()))?;
    fill(&folder)?;
    File::create(&stamp).with_context(|| format!("creating {}", stamp.display()))?;
    Ok(folder)
}

/// A folder name from a package's name, which may hold a scope.
pub(crate) fn key(name: &str, version: &str) -> String {
    let plain = name.trim_start_matches('@').replace('/', "-");
    format!("{plain}-{version}")
}

/// Short name for the contents of `files`: a changed lock file gets a folder of its own.
pub(crate) fn digest(files: &[&Path]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for path in files {
        let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        bytes.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use anyhow::bail;

    use super::*;

    #[test]
    fn concurrent_callers_fill_a_folder_once() {
        let root = tempfile::tempdir().unwrap();
        let filled = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let found = folder(root.path(), "a-1", |path| {
                        filled.fetch_add(1, Ordering::SeqCst);
                        fs::write(path.join("file"), "content")?;
                        Ok(())
                    });
                    assert_eq!(
                        fs::read_to_string(found.unwrap().join("file")).unwrap(),
                        "content"
                    );
                });
            }
        });
        assert_eq!(filled.into_inner(), 1);
    }

    #[test]
    fn a_fetch_that_was_cut_short_starts_afresh() {
        let root = tempfile::tempdir().unwrap();
        let cut = folder(root.path(), "a-1", |path| {
            fs::write(path.join("half"), "")?;
            bail!("no network")
        });
        assert!(cut.is_err());
        let found = folder(root.path(), "a-1", |path| {
            Ok(fs::write(path.join("whole"), "")?)
        })
        .unwrap();
        assert!(found.join("whole").is_file());
        assert!(!found.join("half").exists());
    }

    #[test]
    fn a_scope_makes_no_folder() {
        assert_eq!(key("@scope/name", "1.2.3"), "scope-name-1.2.3");
    }
}
