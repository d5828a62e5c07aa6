//! Forms said in the words of another form, where an engine has no word for them.

use crate::ir::Format;

/// A regular expression that matches exactly one of the texts.
pub(super) fn one_of(choices: &[String]) -> String {
    let literals: Vec<String> = choices.iter().map(|choice| literal(choice)).collect();
    format!("({})", literals.join("|"))
}

fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A grammar in llama.cpp's notation that derives exactly one of the texts.
pub(super) fn grammar_of(choices: &[String]) -> String {
    let quoted: Vec<String> = choices.iter().map(|choice| quoted(choice)).collect();
    format!("root ::= {}", quoted.join(" | "))
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The member of a request that asks for a form.
pub(super) fn field_of(format: &Format) -> &'static str {
    match format {
        Format::Text | Format::JsonObject | Format::JsonSchema { .. } => "response_format",
        Format::Regex(_) => "regex",
        Format::Grammar(_) => "grammar",
        Format::Choice(_) => "choice",
        Format::StructuralTag(_) => "structural_tag",
    }
}
