//! Frames in and out of bytes: `flags`, a length of one or eight bytes, the body.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::ZmtpError;

/// The most bytes of one message, all frames together.
pub(super) const MESSAGE_BYTES: usize = 32 << 20;
/// The most frames of one message.
pub(super) const MESSAGE_FRAMES: usize = 8;

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// A frame as it came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) body: Bytes,
    pub(super) has_more: bool,
    pub(super) is_command: bool,
}

/// Takes the first frame off `buffer`; `None` where it is not there wholly.
pub(super) fn take(buffer: &mut BytesMut) -> Result<Option<Frame>, ZmtpError> {
    let Some(&flags) = buffer.first() else {
        return Ok(None);
    };
    let head = if flags & LONG == 0 { 2 } else { 9 };
    if buffer.len() < head {
        return Ok(None);
    }
    let length = if flags & LONG == 0 {
        u64::from(buffer[1])
    } else {
        (&buffer[1..head]).get_u64()
    };
    let length = usize::try_from(length).map_err(|_| ZmtpError::TooLarge)?;
    if length > MESSAGE_BYTES {
        return Err(ZmtpError::TooLarge);
    }
    if buffer.len() - head < length {
        return Ok(None);
    }
    buffer.advance(head);
    Ok(Some(Frame {
        body: buffer.split_to(length).freeze(),
        has_more: flags & MORE != 0,
        is_command: flags & COMMAND != 0,
    }))
}

/// Appends a message of these frames.
pub(super) fn put_message(out: &mut BytesMut, frames: &[&[u8]]) {
    for (at, frame) in frames.iter().enumerate() {
        let more = if at + 1 < frames.len() { MORE } else { 0 };
        put(out, more, frame);
    }
}

/// Appends a command: its name with its length, then its data.
pub(super) fn put_command(out: &mut BytesMut, name: &str, data: &[u8]) {
    let mut body = Vec::with_capacity(1 + name.len() + data.len());
    body.push(u8::try_from(name.len()).expect("names of commands are short"));
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(data);
    put(out, COMMAND, &body);
}

fn put(out: &mut BytesMut, flags: u8, body: &[u8]) {
    if let Ok(length) = u8::try_from(body.len()) {
        out.put_slice(&[flags, length]);
    } else {
        out.put_u8(flags | LONG);
        out.put_u64(body.len() as u64);
    }
    out.put_slice(body);
}

/// A command's name and data.
pub(super) fn command(body: &[u8]) -> Result<(&[u8], &[u8]), ZmtpError> {
    let (&length, rest) = body.split_first().ok_or(ZmtpError::Garbled)?;
    rest.split_at_checked(usize::from(length))
        .ok_or(ZmtpError::Garbled)
}

/// The value of a property in a READY command's data; names are compared without case.
pub(super) fn property<'a>(
    mut data: &'a [u8],
    wanted: &str,
) -> Result<Option<&'a [u8]>, ZmtpError> {
    while !data.is_empty() {
        let (name, rest) = command(data)?;
        let (length, rest) = rest.split_at_checked(4).ok_or(ZmtpError::Garbled)?;
        let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
        let (value, rest) = rest.split_at_checked(length).ok_or(ZmtpError::Garbled)?;
        if name.eq_ignore_ascii_case(wanted.as_bytes()) {
            return Ok(Some(value));
        }
        data = rest;
    }
    Ok(None)
}
