//! JSON that comes in pieces, read only as far as calls need it.

mod arguments;
mod call;
mod list;
mod object;
mod value;

pub(super) use arguments::Arguments;
pub(super) use call::JsonCall;
pub(super) use list::JsonList;
pub(super) use object::{Found, ObjectReader};
pub(super) use value::{Scan, ValueScanner};
