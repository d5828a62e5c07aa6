//! Where an engine listens.

use std::{fmt, sync::Arc};

use http::{HeaderValue, Uri, uri::Scheme};

use super::Tls;

/// Why a text is no engine address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not an absolute `http://` or `https://` address.
    #[error("{0:?} is no engine address; write it as http://host:port or https://host:port")]
    Malformed(String),
    /// TLS settings for an address without TLS.
    #[error("{0:?} is reached without TLS; write it with https://")]
    Plain(String),
}

/// An engine's address: host, port and a path that all its routes start with.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Target(Arc<Parts>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Parts {
    secure: bool,
    tls: Option<Tls>,
    management: Option<Target>,
    rank: Option<u32>,
    process: Option<String>,
    host: String,
    port: u16,
    authority: HeaderValue,
    base: String,
}

impl Target {
    /// Reads `http://host[:port][/base]`, or the same with `https://`, where the system's authorities are then trusted.
    ///
    /// # Errors
    /// Where the text is anything else.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let malformed = || TargetError::Malformed(text.to_owned());
        let uri: Uri = text.trim().parse().map_err(|_| malformed())?;
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            _ => return Err(malformed()),
        };
        let authority = uri.authority().ok_or_else(malformed)?;
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(malformed());
        }
        let usual_port = if secure { 443 } else { 80 };
        let parts = Parts {
            secure,
            tls: None,
            management: None,
            rank: None,
            process: None,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(usual_port),
            authority: HeaderValue::from_str(authority.as_str()).map_err(|_| malformed())?,
            base: uri.path().trim_end_matches('/').to_owned(),
        };
        Ok(Self(Arc::new(parts)))
    }

    /// The same address with `tls` to be spoken there.
    ///
    /// # Errors
    /// Where the address is one without TLS.
    pub fn with_tls(&self, tls: Tls) -> Result<Self, TargetError> {
        if !self.0.secure {
            return Err(TargetError::Plain(self.to_string()));
        }
        let mut parts = Parts::clone(&self.0);
        parts.tls = Some(tls);
        Ok(Self(Arc::new(parts)))
    }

    /// The same address, with another one for what is asked beside the work: health, load, models.
    #[must_use]
    pub fn with_management(&self, management: Self) -> Self {
        let mut parts = Parts::clone(&self.0);
        parts.management = Some(management);
        Self(Arc::new(parts))
    }

    /// The address that is asked beside the work, where it is another.
    #[must_use]
    pub fn management(&self) -> Option<&Self> {
        self.0.management.as_ref()
    }

    /// The same in all else at another `host:port`, without a management address.
    ///
    /// # Errors
    /// Where that makes no address.
    pub fn at(&self, authority: &str) -> Result<Self, TargetError> {
        let scheme = if self.0.secure { "https" } else { "http" };
        let there = Self::parse(&format!("{scheme}://{authority}{}", self.0.base))?;
        let mut parts = Parts::clone(&there.0);
        parts.tls.clone_from(&self.0.tls);
        parts.rank = self.0.rank;
        Ok(Self(Arc::new(parts)))
    }

    /// The data-parallel rank `rank` of the engine at the same address.
    #[must_use]
    pub fn with_rank(&self, rank: u32) -> Self {
        let mut parts = Parts::clone(&self.0);
        parts.rank = Some(rank);
        Self(Arc::new(parts))
    }

    /// The same address, where a certain process is known to listen.
    #[must_use]
    pub fn with_process(&self, process: impl Into<String>) -> Self {
        let mut parts = Parts::clone(&self.0);
        parts.process = Some(process.into());
        Self(Arc::new(parts))
    }

    /// The data-parallel rank that is meant, where it is one of several behind the address.
    #[must_use]
    pub fn rank(&self) -> Option<u32> {
        self.0.rank
    }

    /// The process that is known to listen there, where one is.
    #[must_use]
    pub fn process(&self) -> Option<&str> {
        self.0.process.as_deref()
    }

    /// Whether both are the same engine, however it is spoken to.
    pub(crate) fn is_same_engine(&self, other: &Self) -> bool {
        let (one, other) = (&self.0, &other.0);
        (&one.host, one.port, &one.base) == (&other.host, other.port, &other.base)
            && (one.rank, &one.process) == (other.rank, &other.process)
    }

    /// The same address, for all ranks behind it.
    pub(crate) fn without_rank(&self) -> Self {
        if self.0.rank.is_none() {
            return self.clone();
        }
        let mut parts = Parts::clone(&self.0);
        parts.rank = None;
        Self(Arc::new(parts))
    }

    /// Whether TLS is spoken there.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.secure
    }

    pub(crate) fn tls(&self) -> Option<&Tls> {
        self.0.tls.as_ref()
    }

    /// The host, a name or an address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.0.host
    }

    pub(crate) fn address(&self) -> (&str, u16) {
        (&self.0.host, self.0.port)
    }

    /// What all paths begin with.
    #[cfg(feature = "kubernetes")]
    pub(crate) fn base(&self) -> &str {
        &self.0.base
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

    /// The same for a route with a name in it; `None` where the name makes it none.
    pub(crate) fn named_path(&self, route: &str) -> Option<Uri> {
        format!("{}{route}", self.0.base).parse().ok()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.authority.to_str().unwrap_or(&self.0.host);
        let scheme = if self.0.secure { "https" } else { "http" };
        write!(f, "{scheme}://{host}{}", self.0.base)
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
    use crate::wire::TlsSettings;

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
        let secure = Target::parse("https://host/llm").expect("valid");
        assert_eq!(
            (secure.address(), secure.is_secure()),
            (("host", 443), true)
        );
        assert_eq!(secure.to_string(), "https://host/llm");
    }

    #[test]
    fn tls_is_for_addresses_that_speak_it_and_tells_targets_apart() {
        let tls = |insecure| {
            let settings = TlsSettings {
                insecure,
                ..TlsSettings::default()
            };
            Tls::new(settings).expect("nothing to read")
        };
        let plain = Target::parse("http://host").expect("valid");
        let refused = plain.with_tls(tls(true)).expect_err("no TLS there");
        assert!(matches!(refused, TargetError::Plain(_)));
        let bare = Target::parse("https://host").expect("valid");
        let with = |insecure| bare.with_tls(tls(insecure)).expect("TLS");
        assert_eq!(with(true), with(true));
        assert_ne!(with(true), with(false));
        assert_ne!(with(false), bare);
    }

    #[test]
    fn ranks_and_processes_tell_engines_apart() {
        let bare = Target::parse("http://host:1").expect("valid");
        let (first, second) = (bare.with_rank(0), bare.with_rank(1));
        assert_ne!(first, second);
        assert!(!first.is_same_engine(&second) && first.without_rank() == bare);
        assert_eq!((first.rank(), bare.rank()), (Some(0), None));
        assert!(
            !bare
                .with_process("a")
                .is_same_engine(&bare.with_process("b"))
        );
        assert_eq!(first.to_string(), bare.to_string());
        let elsewhere = first.at("[::1]:9").expect("an address");
        assert_eq!(
            (elsewhere.address(), elsewhere.rank()),
            (("::1", 9), Some(0))
        );
    }

    #[test]
    fn refuses_what_it_cannot_reach() {
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
