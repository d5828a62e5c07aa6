//! What a name stands for, by family, and what stands in for a family that could not be asked for.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use hickory_resolver::{
    lookup::Lookup,
    net::NetError,
    proto::rr::{Name, RData},
};

/// IPv4 and IPv6.
type Families<T> = [T; 2];

/// What one look found of a name.
pub(super) struct Found {
    /// None where servers failed.
    families: Families<Option<BTreeSet<IpAddr>>>,
    ttl: u32,
}

impl Found {
    /// # Errors
    /// Where servers failed on both families.
    pub(super) fn of(answers: Families<Result<Lookup, NetError>>) -> Result<Self, NetError> {
        let mut ttl = u32::MAX;
        let mut failure = None;
        let families = answers.map(|answer| match answer {
            Ok(lookup) => {
                let records = lookup.answers().iter();
                Some(
                    records
                        .filter_map(|record| {
                            // A name on the way counts for its time alone.
                            ttl = ttl.min(record.ttl);
                            address(&record.data)
                        })
                        .collect(),
                )
            }
            Err(error) if error.is_no_records_found() => Some(BTreeSet::new()),
            Err(error) => {
                failure = Some(error);
                None
            }
        });
        match failure {
            Some(error) if families.iter().all(Option::is_none) => Err(error),
            _ => Ok(Self { families, ttl }),
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.families.iter().all(Option::is_some)
    }
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}

/// What a name stands for, as far as is known.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    families: Families<BTreeSet<IpAddr>>,
    /// The least time to live, in seconds.
    pub(super) ttl: u32,
}

impl Addresses {
    pub(super) fn all(&self) -> impl Iterator<Item = IpAddr> {
        self.families.iter().flatten().copied()
    }

    /// Those of IPv4, else those of IPv6: a host with both is one engine.
    pub(super) fn of_one_family(&self) -> impl Iterator<Item = IpAddr> {
        let family = self.families.iter().find(|family| !family.is_empty());
        family.into_iter().flatten().copied()
    }
}

/// What the last look found, of the names that it asked for.
#[derive(Default)]
pub(super) struct Last(BTreeMap<Name, Families<BTreeSet<IpAddr>>>);

impl Last {
    /// What all names stand for; in place of a family that failed stands what it was.
    pub(super) fn complete(&mut self, found: BTreeMap<Name, Found>) -> BTreeMap<Name, Addresses> {
        let mut last = std::mem::take(&mut self.0);
        let all = found.into_iter().map(|(name, found)| {
            let mut known = last.remove(&name).unwrap_or_default();
            for (known, found) in known.iter_mut().zip(found.families) {
                if let Some(found) = found {
                    *known = found;
                }
            }
            self.0.insert(name.clone(), known.clone());
            let addresses = Addresses {
                families: known,
                ttl: found.ttl,
            };
            (name, addresses)
        });
        all.collect()
    }
}
