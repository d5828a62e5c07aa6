//! Files that the configuration names.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

/// The most bytes of a file with certificates or a key; a system's whole list of authorities has a quarter of that.
const BYTES_AT_MOST: u64 = 1 << 20;

/// The bytes of a file with certificates or a key.
///
/// # Errors
/// Where it cannot be read, is no regular file (a device or a pipe may never end), or is too long.
pub(super) fn read_pem(path: &Path) -> io::Result<Vec<u8>> {
    // Looked at before it is opened: opening a pipe waits for whoever writes there.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(BYTES_AT_MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_AT_MOST {
        let reason = format!("it is longer than {BYTES_AT_MOST} bytes");
        return Err(io::Error::other(reason));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_or_is_too_long_is_not_read() {
        for odd in ["/dev/zero", "/"] {
            let error = read_pem(Path::new(odd)).expect_err(odd);
            assert!(error.to_string().contains("no regular file"), "{error}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ca.pem");
        let long = usize::try_from(BYTES_AT_MOST).expect("small");
        fs::write(&file, vec![b'a'; long]).expect("written");
        assert_eq!(read_pem(&file).expect("just fits").len(), long);
        fs::write(&file, vec![b'a'; long + 1]).expect("written");
        let error = read_pem(&file).expect_err("too long");
        assert!(error.to_string().contains("longer than"), "{error}");
    }
}
