//! Message heads: the start line and the three headers that frame the body.

use memchr::memmem;

use super::HttpFault;

/// Longest head read, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// How the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After this many bytes.
    Length(usize),
    /// With the last chunk.
    Chunked,
}

/// A parsed head, borrowed from the buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head<'a> {
    /// The request or status line.
    pub(super) start_line: &'a [u8],
    /// How the body ends; no header means no body.
    pub(super) framing: Framing,
    /// The other side closes after this message.
    pub(super) close: bool,
    /// Bytes of the head, blank line included.
    pub(super) len: usize,
}

/// Parses the head at the start of `bytes`; `None` while it is not complete.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Head<'_>>, HttpFault> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        if bytes.len() > MAX_HEAD {
            return Err(HttpFault::Malformed("head too long"));
        }
        return Ok(None);
    };
    let mut lines = bytes[..end].split(|&byte| byte == b'\n');
    let start_line = lines.next().unwrap_or_default().trim_ascii_end();
    let mut head = Head {
        start_line,
        framing: Framing::Length(0),
        close: false,
        len: end + 4,
    };
    for line in lines {
        header(line, &mut head)?;
    }
    Ok(Some(head))
}

fn header(line: &[u8], head: &mut Head<'_>) -> Result<(), HttpFault> {
    let Some(colon) = memchr::memchr(b':', line) else {
        return Err(HttpFault::Malformed("header without a colon"));
    };
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    if name.eq_ignore_ascii_case(b"content-length") {
        let length =
            crate::stencil::read_digits(value).and_then(|length| usize::try_from(length).ok());
        head.framing = Framing::Length(length.ok_or(HttpFault::Malformed("content-length"))?);
    } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
        head.framing = Framing::Chunked;
    } else if name.eq_ignore_ascii_case(b"connection") {
        head.close = value.eq_ignore_ascii_case(b"close");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_framing_whatever_the_case() {
        let bytes =
            b"HTTP/1.1 200 OK\r\nCONTENT-length:  12\r\nx: y\r\nConnection: close\r\n\r\nbody";
        let head = parse(bytes).expect("valid").expect("complete");
        assert_eq!(head.start_line, b"HTTP/1.1 200 OK");
        assert_eq!(head.framing, Framing::Length(12));
        assert!(head.close);
        assert_eq!(&bytes[head.len..], b"body");
    }

    #[test]
    fn waits_for_the_blank_line_but_not_for_ever() {
        assert_eq!(
            parse(b"GET / HTTP/1.1\r\nhost: x\r\n").expect("not yet an error"),
            None
        );
        assert!(parse(&vec![b'a'; MAX_HEAD + 1]).is_err());
    }

    #[test]
    fn refuses_what_it_cannot_frame() {
        assert!(parse(b"GET / HTTP/1.1\r\ncontent-length: -1\r\n\r\n").is_err());
        assert!(parse(b"GET / HTTP/1.1\r\nno colon\r\n\r\n").is_err());
    }
}
