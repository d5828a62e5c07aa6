//! `gateway hash-key`.

use std::io::Read as _;

use anyhow::{Context as _, ensure};
use gateway_govern::keys::{KeyHash, generate};

use super::{args::HashArgs, out};

/// More than this is no key, in bytes.
const KEY_BYTES_AT_MOST: u64 = 4_096;

pub(super) fn run(args: &HashArgs) -> anyhow::Result<()> {
    let key = match args.key.as_deref() {
        None => {
            let key = generate().context("making a key")?;
            out::line(format_args!("key:  {key}"));
            key
        }
        Some("-") => {
            let mut text = String::new();
            std::io::stdin()
                .take(KEY_BYTES_AT_MOST)
                .read_to_string(&mut text)
                .context("reading the key")?;
            text.trim().to_owned()
        }
        Some(key) => key.to_owned(),
    };
    ensure!(!key.is_empty(), "the key is empty");
    out::line(format_args!("hash: {}", KeyHash::of(&key)));
    Ok(())
}
