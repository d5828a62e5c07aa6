//! Whether and how requests wait for room.

use std::sync::Arc;

use gateway_core::{admission::AdmissionPolicy, pipeline::RoomLimits};

/// When an endpoint has room, and who waits how for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdmissionSettings {
    /// When an endpoint has room.
    pub room: RoomLimits,
    /// Classes and bounds, for each model's line.
    pub policy: Arc<AdmissionPolicy>,
}
