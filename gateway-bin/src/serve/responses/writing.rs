//! A response being written.

use futures_util::future::BoxFuture;
use gateway_proto::{
    dialect::StreamEncoder,
    error::ApiError,
    ir::Event,
    responses::{ResponseObject, ResponseStream},
};

use super::keep::Keep;
use crate::{clock, serve::answer::Encoder};

/// A response being written, and what is kept of it.
#[derive(Debug)]
pub(super) struct Writing {
    stream: ResponseStream,
    keep: Option<Keep>,
}

impl Writing {
    pub(super) fn new(stream: ResponseStream, keep: Option<Keep>) -> Self {
        Self { stream, keep }
    }

    /// The response as far as it has come.
    pub(super) fn response(&self) -> &ResponseObject {
        self.stream.response()
    }

    /// Writes the events that open it.
    pub(super) fn begin(&mut self, out: &mut Vec<u8>) {
        self.stream.begin(out);
    }

    /// Calls it off.
    pub(super) fn cancel(&mut self) {
        self.stream.cancel();
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

impl Encoder for Writing {
    /// A caller that has seen the end may go on from there, so that it is kept before.
    fn settle(&mut self) -> Option<BoxFuture<'static, ()>> {
        let keep = self.keep.take()?;
        Some(keep.keep(self.stream.response()))
    }
}
