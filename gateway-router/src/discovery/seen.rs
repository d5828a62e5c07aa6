//! What a source sees.

use std::collections::BTreeMap;

/// A place where an engine listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// Its name, the same for as long as the source takes it for the same.
    pub name: String,
    /// The address or name of its host, IPv6 without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What the source says of it.
    pub labels: BTreeMap<String, String>,
    /// Which process it is, where the source can tell; another one has an empty cache.
    pub process: Option<String>,
}

impl Seen {
    /// Host and port as they stand in a URL.
    #[must_use]
    pub fn authority(&self) -> String {
        self.authority_at(self.port)
    }

    /// The same for another port of its host.
    #[must_use]
    pub fn authority_at(&self, port: u16) -> String {
        if self.host.contains(':') {
            format!("[{}]:{port}", self.host)
        } else {
            format!("{}:{port}", self.host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_kinds_are_written_as_urls_want_them() {
        let seen = |host: &str| Seen {
            name: String::new(),
            host: host.to_owned(),
            port: 80,
            labels: BTreeMap::new(),
            process: None,
        };
        assert_eq!(seen("10.0.0.1").authority(), "10.0.0.1:80");
        assert_eq!(seen("fd00::1").authority(), "[fd00::1]:80");
        assert_eq!(seen("fd00::1").authority_at(81), "[fd00::1]:81");
    }
}
