//! Values that a format writes as bare text, given the type that the tool's JSON schema names.
mod convert;
mod schema;

pub(super) use convert::{convert, is_text};
pub(super) use schema::{Types, of_parameter};
