//! Connections that are closed after a reply although it promised to keep them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::rt::{Read, ReadBufCursor, Write};
use pin_project_lite::pin_project;

use super::reply::Body;

/// Whether a connection is to end. Set when the reply's body is done.
#[derive(Clone, Debug, Default)]
pub(super) struct DeathMark(Arc<AtomicBool>);

impl DeathMark {
    /// The same body, after which the connection ends.
    pub(super) fn after(&self, body: Body) -> Body {
        LastBody {
            body,
            mark: self.clone(),
        }
        .boxed_unsync()
    }
}

pin_project! {
    /// A body that sets the mark when it is dropped, which is when all of it was taken.
    struct LastBody {
        #[pin]
        body: Body,
        mark: DeathMark,
    }

    impl PinnedDrop for LastBody {
        fn drop(this: Pin<&mut Self>) {
            this.mark.0.store(true, Ordering::Release);
        }
    }
}

impl HttpBody for LastBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

pin_project! {
    /// A socket from which nothing more comes once the mark is set, so that the server takes the client for gone.
    pub(super) struct Mortal<T> {
        #[pin]
        pub(super) socket: T,
        pub(super) mark: DeathMark,
    }
}

impl<T: Read> Read for Mortal<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        if this.mark.0.load(Ordering::Acquire) {
            return Poll::Ready(Ok(()));
        }
        this.socket.poll_read(cx, buf)
    }
}

impl<T: Write> Write for Mortal<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.project().socket.poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().socket.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().socket.poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().socket.poll_write_vectored(cx, bufs)
    }
}
