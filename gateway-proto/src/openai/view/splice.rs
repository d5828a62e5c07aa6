//! Edits of a body that leave every other byte as it came.

use bytes::{BufMut, Bytes, BytesMut};

use super::RequestView;

impl RequestView {
    /// `body`, from which this view was read, with another model name; as it is where it names no model.
    #[must_use]
    pub fn splice_model(&self, body: &[u8], model: &str) -> Bytes {
        if self.model_span.is_empty() {
            return Bytes::copy_from_slice(body);
        }
        let (start, end) = (
            self.model_span.start.min(body.len()),
            self.model_span.end.min(body.len()),
        );
        let mut out = BytesMut::with_capacity(body.len() + model.len() + 2);
        out.extend_from_slice(&body[..start]);
        serde_json::to_writer((&mut out).writer(), model)
            .expect("a string always serialises into memory");
        out.extend_from_slice(&body[end..]);
        out.freeze()
    }
}
