//! The gateway from outside: real sockets, simulated engines.

mod access;
mod bad_input;
mod child;
mod doors;
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
mod wire;
