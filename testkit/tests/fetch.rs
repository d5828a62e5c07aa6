//! Small real packages, fetched and unpacked.

use std::fs;

const SIX_WHEEL: &str = "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274";

#[test]
fn a_package_of_each_registry() {
    let folder = testkit::npm("ms", "2.1.3");
    let manifest = fs::read_to_string(folder.join("package.json")).unwrap();
    assert!(manifest.contains("\"2.1.3\""));
    assert_eq!(testkit::npm("ms", "2.1.3"), folder);

    let folder = testkit::pip_download("six", "1.17.0", SIX_WHEEL);
    assert!(folder.join("six.py").is_file());
}

#[test]
#[should_panic(expected = "cannot be had")]
fn a_version_that_does_not_exist_panics() {
    let _ = testkit::npm("ms", "0.0.0-none");
}
