//! What wraps a route: who may ask for what.
//!
//! One feature per module; nothing here chooses an engine. The first is [`keys`]: without a known key nobody gets in.

pub mod keys;
