//! Prefill on one engine, decode on another: what happens when all is well, and when anything is not.

mod cancel;
mod dresult;
mod engine;
mod failures;
mod ids;
mod policy;
mod rig;
mod tokens;
mod wire;
