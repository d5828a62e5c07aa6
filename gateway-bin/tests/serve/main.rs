//! The gateway from outside: real sockets, simulated engines.

mod access;
mod adapters;
mod bad_input;
mod bad_input_edge;
mod child;
mod discovery;
mod doors;
mod edge_files;
mod edge_pass;
mod edge_rig;
mod edge_routes;
mod explain;
mod goals;
mod keys;
mod life;
mod limits;
mod models;
mod process;
mod reload;
mod rig;
mod signals;
mod stalled;
mod tls;
mod wire;
