//! Keeps what the fleet has learned in a file, over restarts. The file is a cache: without it the gateway learns anew.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use gateway_core::{
    Fleet,
    latency::{Learned, LearnedError},
};
use gateway_router::Router;
use tokio::{task::spawn_blocking, time};

/// Time between two writings.
pub(crate) const WRITE_EVERY: Duration = Duration::from_secs(60);
/// The largest file that is read, in bytes: a full fleet with all groups of output lengths takes a fraction of it.
const BYTES_AT_MOST: u64 = 32 << 20;

/// Why what was kept is of no use.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is larger than {BYTES_AT_MOST} bytes")]
    TooLarge,
    #[error(transparent)]
    Learned(#[from] LearnedError),
}

/// The file.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    path: Arc<Path>,
}

impl Keeper {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path: path.into() }
    }

    /// Gives `fleet` what the file holds. A file that is missing, of another version or broken is as good as none.
    pub(crate) fn restore(&self, fleet: &Fleet) {
        let file = self.path.display();
        match read(&self.path) {
            Ok(learned) => {
                fleet.restore(&learned);
                tracing::info!(%file, "what was learned earlier is taken over");
            }
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                tracing::info!(%file, "nothing was learned earlier");
            }
            Err(error) => {
                tracing::warn!(%file, %error, "what was learned earlier cannot be used and is ignored");
            }
        }
    }

    /// Writes again and again, with such pauses, until the process ends. Of failures in a row the first is told.
    pub(crate) async fn run(self, router: Router, every: Duration) {
        let mut failed = false;
        loop {
            time::sleep(every).await;
            let (keeper, fleet) = (self.clone(), router.fleet());
            let written = spawn_blocking(move || keeper.write(&fleet)).await;
            let now_failed = !matches!(written, Ok(Ok(())));
            if let Ok(Err(error)) = &written
                && !failed
            {
                self.complain(error);
            }
            failed = now_failed;
        }
    }

    /// Writes once more, at the end.
    pub(crate) fn finish(&self, fleet: &Fleet) {
        if let Err(error) = self.write(fleet) {
            self.complain(&error);
        }
    }

    fn complain(&self, error: &io::Error) {
        tracing::warn!(file = %self.path.display(), %error, "what was learned cannot be kept");
    }

    /// Readers see the old file or the new one, never a part: the new one is written beside it and takes its name.
    fn write(&self, fleet: &Fleet) -> io::Result<()> {
        let beside = self.beside()?;
        let written = replace(&beside, &self.path, &fleet.learned().to_json());
        if written.is_err() {
            // Where it was not even made there is nothing to remove.
            drop(fs::remove_file(&beside));
        }
        written
    }

    fn beside(&self) -> io::Result<PathBuf> {
        let name = self.path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut beside = name.to_owned();
        beside.push(format!(".{}.tmp", std::process::id()));
        Ok(self.path.with_file_name(beside))
    }
}

fn replace(beside: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)
}

fn read(path: &Path) -> Result<Learned, ReadError> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(BYTES_AT_MOST + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_AT_MOST {
        return Err(ReadError::TooLarge);
    }
    Ok(Learned::from_json(&bytes)?)
}

#[cfg(test)]
mod tests {
    use gateway_core::{EndpointSpec, RouteCx, Timestamp, latency::OutputKey};

    use super::*;

    fn fleet() -> Fleet {
        Fleet::new([EndpointSpec::new("a").model("m")]).expect("valid")
    }

    fn expected(fleet: &Fleet) -> f64 {
        let key = OutputKey::of(&RouteCx::new("m", Timestamp::ZERO));
        fleet.outputs().expect(&key)
    }

    fn taught() -> Fleet {
        let fleet = fleet();
        let key = OutputKey::of(&RouteCx::new("m", Timestamp::ZERO));
        (0..50).for_each(|_| fleet.outputs().learn(&key, 2_000));
        fleet
    }

    #[test]
    fn what_is_written_is_read_again_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let keeper = Keeper::new(folder.path().join("learned.json"));
        let before = taught();
        keeper.finish(&before);
        keeper.finish(&before);
        let after = fleet();
        keeper.restore(&after);
        assert!((expected(&after) - expected(&before)).abs() < 1e-9);
        assert!(expected(&after) > 1_000.0);
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1);
    }

    #[test]
    fn what_cannot_be_used_is_ignored() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("learned.json");
        let keeper = Keeper::new(path.clone());
        for bad in ["", "{\"version\":1", "{\"version\":99}", "[1,2,3]", "\u{0}"] {
            fs::write(&path, bad).expect("written");
            let fresh = fleet();
            keeper.restore(&fresh);
            assert!(
                (expected(&fresh) - expected(&fleet())).abs() < 1e-9,
                "{bad}"
            );
        }
        fs::remove_file(&path).expect("there");
        keeper.restore(&fleet());
        Keeper::new(folder.path().to_owned()).restore(&fleet());
    }

    #[tokio::test]
    async fn it_is_written_again_and_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("learned.json");
        let router = Router::builder().build().expect("no endpoints");
        let keeper = Keeper::new(path.clone());
        let running = tokio::spawn(keeper.run(router, Duration::from_millis(1)));
        for _ in 0..2 {
            while read(&path).is_err() {
                time::sleep(Duration::from_millis(1)).await;
            }
            drop(fs::remove_file(&path));
        }
        running.abort();
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_and_no_panic() {
        let keeper = Keeper::new("/nonexistent/learned.json".into());
        assert!(keeper.write(&taught()).is_err());
        assert!(Keeper::new("/".into()).write(&taught()).is_err());
    }
}
