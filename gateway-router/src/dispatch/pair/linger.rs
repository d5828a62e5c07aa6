//! Legs that outlive their request, so many and no more.

use std::{future::Future, sync::Arc};

use tokio::{runtime::Handle, sync::Semaphore};

/// The most legs that outlive their requests at a time.
const AT_MOST: usize = 1_024;

/// Where legs go on whose request is over.
#[derive(Clone, Debug)]
pub(crate) struct Lingers {
    places: Arc<Semaphore>,
    runtime: Handle,
}

impl Lingers {
    /// On `runtime`, where a leg is not dropped on one of its own.
    pub(crate) fn on(runtime: Handle) -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_MOST)),
            runtime,
        }
    }

    /// Drives `leg` to its end beside everything else. Whether there was room for it; without, it is dropped.
    pub(super) fn keep(&self, leg: impl Future<Output = ()> + Send + 'static) -> bool {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return false;
        };
        let runtime = Handle::try_current().unwrap_or_else(|_| self.runtime.clone());
        runtime.spawn(async move {
            leg.await;
            drop(place);
        });
        true
    }
}
