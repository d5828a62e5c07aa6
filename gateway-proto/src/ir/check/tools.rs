//! Tools, and which of them to call.

use std::collections::HashSet;

use super::{CheckError, Limits, schema};
use crate::ir::{Request, Tool, ToolChoice};

pub(super) fn check(request: &Request, limits: &Limits) -> Result<(), CheckError> {
    let tools = &request.tools;
    if tools.len() > limits.tools {
        return Err(CheckError::too_many("tools", tools.len(), limits.tools));
    }
    let mut names = HashSet::with_capacity(tools.len());
    for (at, tool) in tools.iter().enumerate() {
        let Tool::Function {
            name, definition, ..
        } = tool
        else {
            let (what, todo) = (
                "only functions can be called here",
                "Send tools of the type 'function'",
            );
            return Err(CheckError::new(format!("tools[{at}].type"), what, todo));
        };
        let path = || format!("tools[{at}].function.name");
        check_name(path, name, limits)?;
        if !names.insert(name.as_str()) {
            let what = format!("another tool is called '{name}' too");
            return Err(CheckError::new(path(), what, "Give each tool its own name"));
        }
        if let Some(raw) = definition.raw("parameters").filter(|raw| *raw != "null") {
            schema::check(&format!("tools[{at}].function.parameters"), raw, limits)?;
        }
    }
    choice(request, &names, limits)
}

fn check_name(path: impl Fn() -> String, name: &str, limits: &Limits) -> Result<(), CheckError> {
    if name.is_empty() {
        return Err(CheckError::new(path(), "it is empty", "Name the function"));
    }
    if name.len() > limits.tool_name_bytes {
        let most = limits.tool_name_bytes;
        return Err(CheckError::too_long(path(), name.len(), most));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte);
    if name.bytes().all(allowed) {
        return Ok(());
    }
    Err(CheckError::new(
        path(),
        "it has characters that no model writes in a call",
        "Use letters and digits of ASCII and any of _ - . : /",
    ))
}

fn choice(request: &Request, names: &HashSet<&str>, limits: &Limits) -> Result<(), CheckError> {
    const PATH: &str = "tool_choice";
    let known = |path: &str, name: &String| {
        if names.contains(name.as_str()) {
            return Ok(());
        }
        let shown: String = name.chars().take(128).collect();
        let what = format!("no tool is called '{shown}'");
        Err(CheckError::new(path, what, "Name one of 'tools'"))
    };
    match &request.tool_choice {
        ToolChoice::Unset | ToolChoice::Auto | ToolChoice::None => Ok(()),
        ToolChoice::Required if request.tools.is_empty() => {
            let todo = "Send 'tools', or leave the choice out";
            Err(CheckError::new(PATH, "there are no tools to call", todo))
        }
        ToolChoice::Required => Ok(()),
        ToolChoice::Named(name) => known(&format!("{PATH}.function.name"), name),
        ToolChoice::Allowed { names, .. } => {
            let path = format!("{PATH}.allowed_tools.tools");
            if names.is_empty() {
                let todo = "Name one of 'tools'";
                return Err(CheckError::new(path, "it is empty", todo));
            }
            if names.len() > limits.tools {
                return Err(CheckError::too_many(path, names.len(), limits.tools));
            }
            names.iter().try_for_each(|name| known(&path, name))
        }
    }
}
