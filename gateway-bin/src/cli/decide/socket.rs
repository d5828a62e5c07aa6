//! The same on a Unix socket, for one caller after the other.

use std::{
    fs,
    io::{self, BufReader},
    os::unix::{
        fs::FileTypeExt as _,
        net::{UnixListener, UnixStream},
    },
    path::Path,
};

use anyhow::Context as _;

use super::{policy::Policy, session::Session};
use crate::cli::out;

/// Serves until a caller writes what is no message.
pub(super) fn serve(path: &Path, policy: &Policy) -> anyhow::Result<()> {
    let listener =
        bind(path).with_context(|| format!("cannot serve on the socket {}", path.display()))?;
    let served = listener
        .incoming()
        .try_for_each(|caller| converse(&caller?, policy));
    drop(fs::remove_file(path));
    served
}

/// A caller that breaks off leaves the others alone.
fn converse(caller: &UnixStream, policy: &Policy) -> anyhow::Result<()> {
    let done = Session::new(policy).run(BufReader::new(caller), caller);
    match done {
        Err(error) if error.is::<io::Error>() => {
            out::note(format_args!("a connection broke: {error:#}"));
            Ok(())
        }
        done => done,
    }
}

/// Takes the place of a socket that nobody listens on any more.
fn bind(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_abandoned(path) => {
            fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        bound => bound,
    }
}

fn is_abandoned(path: &Path) -> bool {
    let is_socket = fs::metadata(path).is_ok_and(|file| file.file_type().is_socket());
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    is_socket && UnixStream::connect(path).is_err_and(refused)
}
