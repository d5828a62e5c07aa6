//! Lengths of functions and files. Tests are not counted; the compiler's lint holds their functions to 80 lines.

use std::path::Path;

use anyhow::{Context, Result};
use syn::visit::{self, Visit};
use syn::{Attribute, Block, ImplItemFn, Item, ItemFn, ItemMod, Meta, TraitItemFn};

use super::verdict;
use crate::source;

/// Lines of the longest function.
const FUNCTION_LINES: usize = 80;
/// Lines that nine in ten functions keep within.
const FUNCTION_LINES_P90: usize = 30;
/// Lines of code of the longest file, blank lines and comments aside.
const FILE_LINES: usize = 500;
/// Tables may be longer: named here, with the reason.
const LONG_FILES: [(&str, &str); 0] = [];

pub(super) fn check(root: &Path) -> Result<String> {
    let mut crossings = Vec::new();
    let mut lengths = Vec::new();
    let mut longest = 0;
    for path in source::rust_files(root)? {
        let shown = source::shown(root, &path);
        if is_test_file(&shown) {
            continue;
        }
        let text = source::text(&path)?.with_context(|| format!("{shown} is not UTF-8"))?;
        let measured = measure(&text).with_context(|| format!("parsing {shown}"))?;
        longest = longest.max(measured.code_lines);
        let excepted = LONG_FILES.iter().any(|(name, _)| *name == shown);
        if measured.code_lines > FILE_LINES && !excepted {
            crossings.push(format!(
                "{shown} has {} lines of code, over {FILE_LINES}",
                measured.code_lines
            ));
        }
        for function in measured.functions {
            lengths.push(function.lines);
            if function.lines > FUNCTION_LINES {
                let (start, lines) = (function.start, function.lines);
                crossings.push(format!(
                    "{shown}:{start}: function of {lines} lines, over {FUNCTION_LINES}"
                ));
            }
        }
    }
    lengths.sort_unstable();
    let p90 = lengths.get(lengths.len() * 9 / 10).copied().unwrap_or(0);
    if p90 > FUNCTION_LINES_P90 {
        crossings.push(format!(
            "one function in ten is longer than {FUNCTION_LINES_P90} lines (p90 {p90})"
        ));
    }
    let functions = lengths.len();
    verdict(
        &crossings,
        format!("{functions} functions, p90 {p90} lines, longest file {longest} lines"),
    )
}

fn is_test_file(path: &str) -> bool {
    let aside = ["tests/", "benches/", "fuzz/"];
    aside
        .iter()
        .any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}")))
        || path.ends_with("tests.rs")
}

struct Function {
    start: usize,
    lines: usize,
}

struct Measured {
    functions: Vec<Function>,
    code_lines: usize,
}

fn measure(text: &str) -> syn::Result<Measured> {
    let file = syn::parse_file(text)?;
    let tests: usize = file.items.iter().map(|item| test_lines(text, item)).sum();
    let mut functions = Functions(Vec::new());
    functions.visit_file(&file);
    Ok(Measured {
        functions: functions.0,
        code_lines: text.lines().filter(|line| is_code(line)).count() - tests,
    })
}

/// Lines of code of `item` where it is a test module, else 0.
fn test_lines(text: &str, item: &Item) -> usize {
    let Item::Mod(ItemMod {
        attrs,
        content: Some((braces, _)),
        ..
    }) = item
    else {
        return 0;
    };
    let (true, Some(attribute)) = (is_test(attrs), attrs.first()) else {
        return 0;
    };
    let first = attribute.pound_token.span.start().line;
    let last = braces.span.close().end().line;
    text.lines()
        .skip(first - 1)
        .take(last + 1 - first)
        .filter(|line| is_code(line))
        .count()
}

fn is_code(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with("//")
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else {
            return false;
        };
        list.path.is_ident("cfg") && list.tokens.to_string() == "test"
    })
}

/// Collects functions with a body, from the first line of their signature to the closing brace.
struct Functions(Vec<Function>);

impl Functions {
    fn push(&mut self, signature: &syn::Signature, block: &Block) {
        let start = signature.fn_token.span.start().line;
        let end = block.brace_token.span.close().end().line;
        self.0.push(Function {
            start,
            lines: end + 1 - start,
        });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_test(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.push(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.push(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(block) = &function.default {
            self.push(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_functions_and_code_outside_tests() {
        let text = "\
fn one() {}
// a comment
trait T {
    fn declared();
    fn given() {
        let brace = '{';
    }
}

#[cfg(test)]
mod tests {
    fn hidden() {
    }
}
";
        let measured = measure(text).expect("the sample parses");
        let found: Vec<(usize, usize)> = measured
            .functions
            .iter()
            .map(|f| (f.start, f.lines))
            .collect();
        assert_eq!(found, [(1, 1), (5, 3)]);
        assert_eq!(measured.code_lines, 7);
    }

    #[test]
    fn tests_benches_and_fuzz_targets_are_aside() {
        assert!(is_test_file("gateway-core/src/index/tests.rs"));
        assert!(is_test_file("xtask/tests/guards.rs"));
        assert!(is_test_file("fuzz/fuzz_targets/sse.rs"));
        assert!(!is_test_file("gateway-core/src/lib.rs"));
    }
}
