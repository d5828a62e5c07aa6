//! What the addresses behind services are called, for as long as they stay.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
};

/// A host of a service, its port and one of its addresses.
pub(super) type Place = (String, u16, IpAddr);

/// The names of the last answer's places.
#[derive(Default)]
pub(super) struct Names(BTreeMap<Place, String>);

impl Names {
    /// Names `places`. A host with one address is known by its own name, and so is the same when it comes back elsewhere;
    /// whatever has a name keeps it when others join it or leave.
    pub(super) fn of(&mut self, places: &BTreeSet<Place>) -> &BTreeMap<Place, String> {
        let mut named = BTreeMap::new();
        for place in places {
            if let Some(name) = self.0.remove(place) {
                named.insert(place.clone(), name);
            }
        }
        let mut taken: BTreeSet<_> = named.values().cloned().collect();
        for place in places {
            named.entry(place.clone()).or_insert_with(|| {
                let name = name(place, places, &taken);
                taken.insert(name.clone());
                name
            });
        }
        self.0 = named;
        &self.0
    }
}

fn name(place: &Place, places: &BTreeSet<Place>, taken: &BTreeSet<String>) -> String {
    let (host, port, ip) = place;
    let plain = format!("{host}:{port}");
    let others = places
        .iter()
        .filter(|other| (&other.0, other.1) == (host, *port));
    if others.count() == 1 && !taken.contains(&plain) {
        plain
    } else {
        SocketAddr::new(*ip, *port).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_when_others_come_and_go() {
        let mut names = Names::default();
        let mut named = |last: &[u8]| {
            let place = |last: &u8| ("e0.test".to_owned(), 80, IpAddr::from([10, 0, 0, *last]));
            let places = last.iter().map(place).collect();
            names.of(&places).values().cloned().collect::<Vec<_>>()
        };
        assert_eq!(named(&[1]), ["e0.test:80"]);
        assert_eq!(named(&[2]), ["e0.test:80"], "the same host elsewhere");
        assert_eq!(named(&[2, 3]), ["e0.test:80", "10.0.0.3:80"]);
        assert_eq!(named(&[3]), ["10.0.0.3:80"]);
        assert_eq!(named(&[4, 5]), ["10.0.0.4:80", "10.0.0.5:80"]);
    }
}
