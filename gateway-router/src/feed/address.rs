//! Where feeds come from.

use std::fmt;

/// Why a text is no feed address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no feed address; write it as tcp://host:port")]
pub struct FeedAddressError(String);

/// A ZeroMQ address over TCP.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedAddress {
    host: String,
    port: u16,
}

impl FeedAddress {
    /// Reads `tcp://host:port`; `*` is every interface, IPv6 stands in brackets.
    ///
    /// # Errors
    /// Where the text is anything else.
    pub fn parse(text: &str) -> Result<Self, FeedAddressError> {
        let wrong = || FeedAddressError(text.to_owned());
        let rest = text.trim().strip_prefix("tcp://").ok_or_else(wrong)?;
        let (host, port) = rest.rsplit_once(':').ok_or_else(wrong)?;
        let inner = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let is_odd = |c: char| c.is_whitespace() || "/@[]".contains(c);
        let host = inner.unwrap_or(host);
        if host.is_empty() || host.contains(is_odd) || (inner.is_none() && host.contains(':')) {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port: port.parse().map_err(|_| wrong())?,
        })
    }

    /// The address `host:port`.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// The host, IPv6 without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a data-parallel rank: engines count their ports up from the first rank's. `None` past the last port.
    #[must_use]
    pub fn of_rank(&self, rank: u32) -> Option<Self> {
        let port = u32::from(self.port).checked_add(rank)?;
        Some(Self::new(self.host.clone(), u16::try_from(port).ok()?))
    }

    /// Whether it names every interface of whatever host it is used at.
    #[must_use]
    pub fn is_every_interface(&self) -> bool {
        matches!(&*self.host, "*" | "0.0.0.0" | "::")
    }

    /// The same, with `host` in place of "every interface", which is where an engine listens and nobody can connect to.
    #[must_use]
    pub fn reachable_at(self, host: &str) -> Self {
        if self.is_every_interface() {
            Self::new(host, self.port)
        } else {
            self
        }
    }

    /// What to bind: `*` in the system's words.
    pub(super) fn bind_to(&self) -> (&str, u16) {
        let host = if self.host == "*" {
            "0.0.0.0"
        } else {
            &self.host
        };
        (host, self.port)
    }
}

impl fmt::Display for FeedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "tcp://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "tcp://{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hosts_of_every_form() {
        for text in [
            "tcp://127.0.0.1:5557",
            "tcp://*:5557",
            "tcp://[::1]:0",
            "tcp://engine-1.pool:65535",
        ] {
            assert_eq!(FeedAddress::parse(text).expect(text).to_string(), text);
        }
    }

    #[test]
    fn refuses_what_it_cannot_reach() {
        for text in [
            "",
            "127.0.0.1:5557",
            "ipc:///tmp/kv",
            "tcp://host",
            "tcp://:1",
            "tcp://host:65536",
            "tcp://::1:5557",
            "tcp://a/b:1",
        ] {
            assert!(FeedAddress::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_interface_is_reached_at_the_engines_host() {
        let at = |text: &str| {
            FeedAddress::parse(text)
                .expect("valid")
                .reachable_at("engine")
                .to_string()
        };
        assert_eq!(at("tcp://*:1"), "tcp://engine:1");
        assert_eq!(at("tcp://0.0.0.0:2"), "tcp://engine:2");
        assert_eq!(at("tcp://[::]:3"), "tcp://engine:3");
        assert_eq!(at("tcp://10.0.0.7:4"), "tcp://10.0.0.7:4");
    }

    #[test]
    fn ranks_count_ports_up_to_the_last() {
        let base = FeedAddress::new("h", 65_534);
        assert_eq!(base.of_rank(1), Some(FeedAddress::new("h", 65_535)));
        assert_eq!(base.of_rank(2), None);
        assert_eq!(base.of_rank(u32::MAX), None);
    }
}
