//! A response being written.

use gateway_proto::{
    dialect::StreamEncoder,
    error::ApiError,
    ir::Event,
    responses::{ResponseObject, ResponseStream},
};

use crate::{clock, serve::answer::Encoder};

/// A response being written.
#[derive(Debug)]
pub(super) struct Writing {
    stream: ResponseStream,
}

impl Writing {
    pub(super) fn new(stream: ResponseStream) -> Self {
        Self { stream }
    }

    /// The response as far as it has come.
    pub(super) fn response(&self) -> &ResponseObject {
        self.stream.response()
    }

    fn tell_time(&mut self) {
        self.stream.set_time(clock::unix_seconds().unsigned_abs());
    }
}

impl StreamEncoder for Writing {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        self.stream.event(event, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.tell_time();
        self.stream.finish(out);
    }

    fn fail(&mut self, error: &ApiError, out: &mut Vec<u8>) {
        self.tell_time();
        self.stream.fail(error, out);
    }
}

impl Encoder for Writing {}
