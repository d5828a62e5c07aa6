//! The names of tools, here and at the model.

use std::collections::HashMap;

/// What a tool is called in this dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolName {
    /// The namespace it stands in.
    pub namespace: Option<String>,
    /// Its name there.
    pub name: String,
    /// A custom tool takes plain text instead of JSON arguments.
    pub custom: bool,
}

/// The tools whose name or form at the model differs from the one in this dialect.
///
/// Models know functions with flat names only. A namespace's function is told under both names joined, a custom tool
/// as a function with one text argument, `input`; calls are turned back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolNames {
    by_flat: HashMap<String, ToolName>,
    flat_of: HashMap<(String, String), String>,
}

impl ToolNames {
    /// What the tool that the model calls `flat` is called here; `None` where it is the same plain function.
    #[must_use]
    pub fn of(&self, flat: &str) -> Option<&ToolName> {
        self.by_flat.get(flat)
    }

    /// What the model calls a function of a namespace, offered now or only in an older turn.
    #[must_use]
    pub fn flat(&self, namespace: Option<&str>, name: &str) -> String {
        let Some(namespace) = namespace else {
            return name.to_owned();
        };
        let known = self.flat_of.get(&(namespace.to_owned(), name.to_owned()));
        known.cloned().unwrap_or_else(|| joined(namespace, name))
    }

    /// Whether a namespace has a tool of this name.
    pub(super) fn has(&self, namespace: &str, name: &str) -> bool {
        let key = (namespace.to_owned(), name.to_owned());
        self.flat_of.contains_key(&key)
    }

    /// Takes in a custom tool.
    pub(super) fn add_custom(&mut self, name: &str) {
        let tool = ToolName {
            namespace: None,
            name: name.to_owned(),
            custom: true,
        };
        self.by_flat.insert(name.to_owned(), tool);
    }

    /// Takes in a tool of a namespace and says what the model is to call it: both names joined, with a number behind
    /// where `taken` knows that name already.
    pub(super) fn add_nested(
        &mut self,
        tool: ToolName,
        namespace: &str,
        taken: impl Fn(&str) -> bool,
    ) -> String {
        let base = joined(namespace, &tool.name);
        let mut flat = base.clone();
        let mut number = 1_u32;
        while taken(&flat) || self.by_flat.contains_key(&flat) {
            number += 1;
            flat = format!("{base}_{number}");
        }
        self.flat_of
            .insert((namespace.to_owned(), tool.name.clone()), flat.clone());
        self.by_flat.insert(flat.clone(), tool);
        flat
    }
}

/// Both names in one; a namespace that ends in an underscore brings its own seam.
fn joined(namespace: &str, name: &str) -> String {
    let seam = if namespace.ends_with('_') { "" } else { "__" };
    format!("{namespace}{seam}{name}")
}
