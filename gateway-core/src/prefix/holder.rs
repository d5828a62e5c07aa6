//! Who can hold a block: an endpoint, in one of its lanes.

use crate::EndpointId;

/// What a note about a block rests on. Each endpoint has one of each; a lookup answers for the first three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// On the device, by the engine's events.
    Device,
    /// On the device or in any lower tier, by the engine's events.
    Resident,
    /// By what this router itself sent there.
    Own,
    /// In the host's memory, by the engine's events. Kept aside: not looked up.
    Host,
    /// On disk or in a remote store, by the engine's events. Kept aside: not looked up.
    Disk,
}

impl Lane {
    /// All lanes, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Device,
        Self::Resident,
        Self::Own,
        Self::Host,
        Self::Disk,
    ];
    /// Lanes that a lookup answers for: the first ones.
    pub(super) const LOOKED_UP: usize = 3;
}

/// One lane of one endpoint, as a dense number.
///
/// The lanes that are looked up alternate every 64 numbers: a small fleet fills few words of a bit set, and each word
/// holds endpoints of one lane, which mostly go together. The other lanes come behind, so that a lookup skips them by
/// comparing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Holder(u16);

/// Endpoints of one lane in a row.
const ROW: usize = 64;
/// Where the lanes begin that no lookup reads: the next multiple of a bit-set unit.
pub(super) const ASIDE: usize =
    (EndpointId::LIMIT * Lane::LOOKED_UP).next_multiple_of(super::run::SET_HOLDERS);

impl Holder {
    /// One more than the highest number.
    pub(super) const LIMIT: usize = ASIDE + (Lane::ALL.len() - Lane::LOOKED_UP) * EndpointId::LIMIT;

    /// The holder for `endpoint` in `lane`. An endpoint's number beyond [`EndpointId::LIMIT`] gives one that every store
    /// rejects.
    #[must_use]
    pub fn new(endpoint: EndpointId, lane: Lane) -> Self {
        let (index, lane) = (endpoint.index(), lane as usize);
        let number = if index >= EndpointId::LIMIT {
            Self::LIMIT
        } else if lane < Lane::LOOKED_UP {
            (index / ROW * Lane::LOOKED_UP + lane) * ROW + index % ROW
        } else {
            ASIDE + (lane - Lane::LOOKED_UP) * EndpointId::LIMIT + index
        };
        Self::at(number)
    }

    /// The holder of this number.
    pub(super) fn at(number: usize) -> Self {
        Self(u16::try_from(number).expect("holders' numbers fit 16 bits"))
    }

    /// The number as a table index.
    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The number of the lane in [`Lane::ALL`].
    pub(super) fn lane(self) -> usize {
        match self.index().checked_sub(ASIDE) {
            None => self.index() / ROW % Lane::LOOKED_UP,
            Some(aside) => Lane::LOOKED_UP + aside / EndpointId::LIMIT,
        }
    }
}

/// On the device, by events: what an endpoint named alone means.
impl From<EndpointId> for Holder {
    fn from(endpoint: EndpointId) -> Self {
        Self::new(endpoint, Lane::Device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_of_every_endpoint_has_a_number_of_its_own() {
        let mut seen = vec![false; Holder::LIMIT];
        for index in 0..EndpointId::LIMIT {
            let endpoint = EndpointId(u16::try_from(index).expect("small"));
            for (number, lane) in Lane::ALL.into_iter().enumerate() {
                let holder = Holder::new(endpoint, lane);
                assert_eq!(holder.lane(), number);
                assert_eq!(holder.index() >= ASIDE, number >= Lane::LOOKED_UP);
                assert!(!std::mem::replace(&mut seen[holder.index()], true));
            }
        }
    }

    #[test]
    fn numbers_out_of_range_are_nobody() {
        for lane in Lane::ALL {
            let nobody = Holder::new(EndpointId(4096), lane);
            assert_eq!(nobody.index(), Holder::LIMIT);
        }
    }
}
