//! Engines with more than one port.

use super::table::Route;

/// Which routes a port has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Door {
    /// All of them.
    All,
    /// Those that work is sent to, with another port for the rest.
    Work,
    /// What is asked beside the work: health, load, models.
    Management,
}

impl Door {
    /// Whether `route` is served there. What belongs to the simulation is served everywhere.
    pub(super) fn has(self, route: Route) -> bool {
        let is_work = match route {
            Route::Health | Route::Metrics | Route::Models | Route::Status { .. } => false,
            Route::ReadFaults | Route::InjectFault | Route::ClearFaults | Route::Stats => {
                return true;
            }
            _ => true,
        };
        match self {
            Self::All => true,
            Self::Work => is_work,
            Self::Management => !is_work,
        }
    }
}
