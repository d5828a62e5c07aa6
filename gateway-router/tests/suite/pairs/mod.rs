//! Prefill on one engine, decode on another: what happens when all is well, and when anything is not.

mod adapters;
mod blame;
mod cancel;
#[cfg(feature = "text")]
mod dialects;
mod dresult;
mod engine;
mod failures;
mod ids;
mod mindie;
mod once;
mod policy;
mod ranks;
mod rig;
mod spans;
mod tokens;
mod wire;
