//! The handle on a gateway that runs.

use std::{net::SocketAddr, sync::Arc, thread::JoinHandle};

use gateway_router::Router;

use crate::{
    gate::Gate,
    serve,
    stage::{Stage, Stages},
};

/// A gateway that runs. Dropping it cuts everything.
#[derive(Debug)]
pub struct Running {
    pub(crate) clients: SocketAddr,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) stages: Stages,
    pub(crate) gate: Arc<Gate>,
    pub(crate) control: Option<JoinHandle<()>>,
}

impl Running {
    /// Where clients are served.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.clients
    }

    /// Where metrics are served, where not beside the clients.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// The router, to look at its fleet.
    #[must_use]
    pub fn router(&self) -> &Router {
        &self.gate.router
    }

    /// The metrics page now.
    #[must_use]
    pub fn metrics(&self) -> String {
        serve::metrics_page(&self.gate)
    }

    /// Begins to drain as SIGTERM does, and returns at once.
    pub fn drain(&self) {
        self.stages.advance(Stage::Draining);
    }

    /// Waits until everything has ended.
    pub fn wait(mut self) {
        self.join();
    }

    fn join(&mut self) {
        if let Some(control) = self.control.take() {
            // A panic over there has been printed; here it only means that the end is reached.
            drop(control.join());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stages.advance(Stage::Cut);
        self.join();
    }
}
