//! What wraps a route: who may ask for what.
//!
//! One feature per module; nothing here chooses an engine. With [`keys`] nobody gets in without a known key; [`records`]
//! keeps responses and conversations between requests.

pub mod keys;
pub mod records;
