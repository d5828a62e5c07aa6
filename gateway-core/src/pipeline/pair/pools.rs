//! Who may do what of a split request.

use crate::EndpointId;

/// The endpoints that the halves of a request are chosen from. An endpoint that does everything may be in all of them.
#[derive(Clone, Copy, Debug)]
pub struct Pools<'a> {
    /// Who may compute the prompt for somebody else; the whole fleet where `None`.
    pub prefill: Option<&'a [EndpointId]>,
    /// Who may decode what somebody else computed.
    pub decode: &'a [EndpointId],
    /// Who may serve the request whole where a pair is possible and not worth it.
    pub whole: &'a [EndpointId],
    /// Who may serve it whole where there is no pair: the first of these groups in which somebody can.
    pub alone: [Group<'a>; 2],
}

/// Endpoints to choose from.
#[derive(Clone, Copy, Debug)]
pub enum Group<'a> {
    /// None.
    Nobody,
    /// The whole fleet.
    Everybody,
    /// These.
    These(&'a [EndpointId]),
}

impl<'a> Pools<'a> {
    /// Pools of engines that can all serve a request whole, those that decode before those that prefill.
    #[must_use]
    pub const fn new(prefill: Option<&'a [EndpointId]>, decode: &'a [EndpointId]) -> Self {
        let last = match prefill {
            Some(prefill) => Group::These(prefill),
            None => Group::Everybody,
        };
        Self {
            prefill,
            decode,
            whole: decode,
            alone: [Group::These(decode), last],
        }
    }
}
