//! YAML as a tree in which every key and value knows its place, and a deserializer over it whose errors do, too.

mod node;
mod parse;
mod path;
mod reader;

pub(crate) use node::{Kind, Node};
pub(crate) use parse::parse;
pub(crate) use path::{Path, Step};
pub(crate) use reader::read;
