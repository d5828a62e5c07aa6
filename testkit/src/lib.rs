//! Material that tests and benchmarks need and the repository does not carry: packages from the npm and Python registries,
//! and the gateway's own binary.
//!
//! Every function that fetches takes exact versions (and hashes where the registry's client checks them), fetches once into a folder of
//! [`cache_root`], and returns at once from then on. Concurrent test runs wait for one another on a lock per folder. The
//! registries are those that `npm` and `pip` are configured with.
//!
//! # Panics
//! Where a package cannot be had, the functions panic with the command and what it said: a test that lacks its material
//! fails, it is never skipped.

mod binary;
mod cache;
mod npm;
mod pip;
mod run;

pub use binary::gateway_binary;
pub use cache::cache_root;
pub use npm::{npm, npm_project};
pub use pip::{pip_download, pip_venv};

/// The value, or a panic that names what was wanted and why it is not there.
fn have<T>(wanted: &str, outcome: anyhow::Result<T>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!("test material `{wanted}` cannot be had: {error:#}"),
    }
}
