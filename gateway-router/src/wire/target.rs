//! Where an engine listens.

use std::{fmt, sync::Arc};

use http::{HeaderValue, Uri, uri::Scheme};

/// Why a text is no engine address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not an absolute `http://` address.
    #[error("{0:?} is no engine address; write it as http://host:port")]
    Malformed(String),
    /// TLS is not spoken to engines.
    #[error(
        "{0:?} asks for TLS, which is not spoken to engines; put them behind a local TLS proxy and use http://"
    )]
    Tls(String),
}

/// An engine's address: host, port and a path that all its routes start with.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Target(Arc<Parts>);

#[derive(PartialEq, Eq, Hash)]
struct Parts {
    host: String,
    port: u16,
    authority: HeaderValue,
    base: String,
}

impl Target {
    /// Reads `http://host[:port][/base]`.
    ///
    /// # Errors
    /// Where the text is anything else.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let malformed = || TargetError::Malformed(text.to_owned());
        let uri: Uri = text.trim().parse().map_err(|_| malformed())?;
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => {}
            Some(scheme) if *scheme == Scheme::HTTPS => {
                return Err(TargetError::Tls(text.to_owned()));
            }
            _ => return Err(malformed()),
        }
        let authority = uri.authority().ok_or_else(malformed)?;
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(malformed());
        }
        let parts = Parts {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authority: HeaderValue::from_str(authority.as_str()).map_err(|_| malformed())?,
            base: uri.path().trim_end_matches('/').to_owned(),
        };
        Ok(Self(Arc::new(parts)))
    }

    pub(crate) fn address(&self) -> (&str, u16) {
        (&self.0.host, self.0.port)
    }

    /// The value of the `host` header.
    pub(crate) fn authority(&self) -> &HeaderValue {
        &self.0.authority
    }

    /// The request target for a route of the engine.
    pub(crate) fn path(&self, route: &'static str) -> Uri {
        if self.0.base.is_empty() {
            return Uri::from_static(route);
        }
        format!("{}{route}", self.0.base)
            .parse()
            .expect("a path checked at the start and a fixed route make a path")
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.authority.to_str().unwrap_or(&self.0.host);
        write!(f, "http://{host}{}", self.0.base)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hosts_ports_and_bases() {
        let plain = Target::parse("http://engine-1:8000").expect("valid");
        assert_eq!(plain.address(), ("engine-1", 8000));
        assert_eq!(plain.path("/v1/models"), "/v1/models");
        let deep = Target::parse("http://[::1]:9/llm/").expect("valid");
        assert_eq!(deep.address(), ("::1", 9));
        assert_eq!(deep.path("/health"), "/llm/health");
        assert_eq!(deep.to_string(), "http://[::1]:9/llm");
        assert_eq!(Target::parse("http://host").expect("valid").address().1, 80);
    }

    #[test]
    fn refuses_what_it_cannot_reach() {
        assert!(matches!(
            Target::parse("https://host"),
            Err(TargetError::Tls(_))
        ));
        for bad in [
            "",
            "host:80",
            "ftp://host",
            "http://",
            "http://user:pw@host",
            "http://host/?q=1",
        ] {
            assert!(
                matches!(Target::parse(bad), Err(TargetError::Malformed(_))),
                "{bad}"
            );
        }
    }
}
