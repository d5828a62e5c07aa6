//! Values that a format writes as bare text, given the type that the tool's JSON schema names.
mod convert;
mod schema;

pub(super) use convert::{Start, convert, start};
pub(super) use schema::{Types, of_parameter};
