//! One HTTP/1.1 connection, driven inline.

use std::{
    error::Error,
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio_rustls::rustls;

use super::{Target, quiet::Quiet, socket::Socket};

type Driver = http1::Connection<TokioIo<Socket>, Full<Bytes>>;

/// An open connection with its protocol machine.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: Pin<Box<Driver>>,
    quiet: Quiet,
    ended: bool,
    reused: bool,
}

/// Why no reply came.
#[derive(Debug)]
pub(crate) enum SendError {
    /// No connection was made: nothing was sent.
    Connect(io::Error),
    /// The connection ended before a reply began. `reused` tells whether it had served before, so that the engine may
    /// simply have closed it as idle.
    Closed {
        /// Whether the connection came from the pool.
        reused: bool,
    },
    /// What came back is no HTTP.
    Garbled,
}

impl Connection {
    /// Connects, under TLS where the target says so.
    pub(crate) async fn open(target: &Target, patience: Duration) -> Result<Self, SendError> {
        let dialled = Socket::dial(target, patience).await;
        let socket = dialled.map_err(SendError::Connect)?;
        let made = http1::Builder::new().handshake(TokioIo::new(socket)).await;
        let (sender, connection) = made.map_err(|_| SendError::Closed { reused: false })?;
        Ok(Self {
            sender,
            driver: Box::pin(connection),
            quiet: Quiet::new(),
            ended: false,
            reused: false,
        })
    }

    /// Polls `part`, something that this connection feeds, and moves the protocol machine as far as it goes. Whoever
    /// awaits something of this connection polls it through here.
    pub(crate) fn poll_with<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut part: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.quiet.begin(cx);
        let mut polled = part(&mut self.quiet.context());
        if polled.is_pending() {
            // What `part` asked for while it was polled, the machine looks at now.
            self.quiet.answered();
            if !self.ended {
                self.ended = self
                    .driver
                    .as_mut()
                    .poll(&mut self.quiet.context())
                    .is_ready();
            }
            polled = part(&mut self.quiet.context());
        }
        self.quiet.end(polled.is_pending());
        polled
    }

    /// Whether another request can go out now. Notices a socket that the engine has closed meanwhile.
    pub(crate) fn is_idle(&mut self) -> bool {
        let nothing = |_: &mut Context<'_>| Poll::<()>::Pending;
        let _pending = self.poll_with(&mut Context::from_waker(Waker::noop()), nothing);
        !self.ended && self.sender.is_ready()
    }

    pub(crate) fn mark_reused(&mut self) {
        self.reused = true;
    }

    /// Sends a request and waits for the head of the reply. On an error the connection is of no more use.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, SendError> {
        let mut reply = pin!(self.sender.send_request(request));
        // An ended machine has answered the caller's channel, so the reply is ready then.
        let head = poll_fn(|cx| self.poll_with(cx, |cx| reply.as_mut().poll(cx)));
        head.await.map_err(|error| {
            if error.is_parse() {
                return SendError::Garbled;
            }
            // One that has served before was let in: whatever ends it now, the engine may have read the request.
            match refusal(&error).filter(|_| !self.reused) {
                Some(refused) => SendError::Connect(io::Error::other(refused)),
                None => SendError::Closed {
                    reused: self.reused,
                },
            }
        })
    }
}

/// The alert by which the engine refused this connection, where that is why it ended: since version 1.3 an engine says
/// only after the handshake that it does not like the certificate it was shown. It has read nothing of the request then.
fn refusal(error: &hyper::Error) -> Option<rustls::Error> {
    let cause = error.source()?.downcast_ref::<io::Error>()?;
    let cause = cause.get_ref()?.downcast_ref::<rustls::Error>()?;
    is_refusal(cause).then(|| cause.clone())
}

/// Whether an alert is about who is at the other end, as RFC 8446 (section 6.2) has them. Others, such as a record that
/// cannot be decrypted, come at any time.
fn is_refusal(error: &rustls::Error) -> bool {
    use rustls::AlertDescription as Alert;

    let rustls::Error::AlertReceived(alert) = error else {
        return false;
    };
    matches!(
        alert,
        Alert::HandshakeFailure
            | Alert::DecryptError
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::CertificateRequired
    )
}

#[cfg(test)]
mod tests {
    use rustls::{AlertDescription as Alert, Error, PeerMisbehaved};

    use super::*;

    #[test]
    fn only_alerts_about_the_other_end_tell_that_nothing_was_read() {
        for alert in [
            Alert::CertificateRequired,
            Alert::UnknownCA,
            Alert::DecryptError,
        ] {
            assert!(is_refusal(&Error::AlertReceived(alert)), "{alert:?}");
        }
        let misbehaved = PeerMisbehaved::IllegalMiddleboxChangeCipherSpec;
        for other in [
            Error::AlertReceived(Alert::InternalError),
            Error::AlertReceived(Alert::BadRecordMac),
            Error::DecryptError,
            Error::PeerMisbehaved(misbehaved),
        ] {
            assert!(!is_refusal(&other), "{other:?}");
        }
    }
}
