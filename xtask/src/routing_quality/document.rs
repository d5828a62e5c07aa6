//! The generated parts of a document stand between `<!-- generated: NAME -->` and `<!-- end -->`.

use std::{fs, path::Path};

use anyhow::{Context, Result};

const END: &str = "<!-- end -->";

/// Puts each part in its place; everything else stays as it is.
pub(super) fn rewrite(file: &Path, parts: &[(&str, String)]) -> Result<()> {
    let shown = file.display();
    let mut text = fs::read_to_string(file).with_context(|| format!("reading {shown}"))?;
    for (name, part) in parts {
        text = replaced(&text, name, part)
            .with_context(|| format!("{shown} has no part `<!-- generated: {name} -->`"))?;
    }
    fs::write(file, text).with_context(|| format!("writing {shown}"))
}

fn replaced(text: &str, name: &str, part: &str) -> Option<String> {
    let begin = format!("<!-- generated: {name} -->");
    let (head, rest) = text.split_once(&begin)?;
    let (_, tail) = rest.split_once(END)?;
    let part = part.trim();
    Some(format!("{head}{begin}\n\n{part}\n\n{END}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_replaces_the_one_before_and_nothing_else() {
        let text = "a\n<!-- generated: x -->\nold\n<!-- end -->\nb\n<!-- generated: y -->\nkept\n<!-- end -->\n";
        let once = replaced(text, "x", "new\n").expect("there");
        assert_eq!(
            once,
            "a\n<!-- generated: x -->\n\nnew\n\n<!-- end -->\nb\n<!-- generated: y -->\nkept\n<!-- end -->\n"
        );
        assert_eq!(replaced(&once, "x", "new"), Some(once.clone()));
        assert_eq!(replaced(text, "z", "new"), None);
    }
}
