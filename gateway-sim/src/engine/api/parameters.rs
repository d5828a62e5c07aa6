//! Parameters of other engines under vLLM's names.

use serde_json::{Map, Value};

/// What an engine calls a parameter, and what vLLM does.
pub(super) type Names = &'static [(&'static str, &'static str)];

/// The parameters that have a name here; others do nothing.
pub(super) fn renamed(given: Option<&Value>, names: Names) -> Map<String, Value> {
    let mut known = Map::new();
    let given = given.and_then(Value::as_object);
    for (name, value) in given.into_iter().flatten() {
        if let Some((_, here)) = names.iter().find(|(theirs, _)| theirs == name) {
            known.insert((*here).to_owned(), value.clone());
        }
    }
    known
}
