//! The guards as tests, so that `cargo test` alone holds the borders.

use xtask::{cmd, guards};

#[test]
fn the_source_tree_keeps_within_its_borders() {
    let root = cmd::workspace_root();
    let crossed: Vec<String> = guards::GUARDS
        .iter()
        .filter_map(|(name, guard)| guard(&root).err().map(|error| format!("{name}: {error:#}")))
        .collect();
    assert!(crossed.is_empty(), "{}", crossed.join("\n"));
}
