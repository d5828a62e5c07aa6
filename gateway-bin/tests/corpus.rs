//! Replays the fuzz corpus of configurations, so that what a fuzzer once found stays found.

use std::{fs, panic::catch_unwind, path::Path};

use proptest::prelude::*;

use gateway_bin::fuzzing;

#[test]
fn config() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/config");
    let entries = fs::read_dir(&folder).expect("the corpus is part of the repository");
    let mut count = 0;
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        let input = fs::read(&path).expect("a readable file");
        assert!(
            catch_unwind(|| fuzzing::config(&input)).is_ok(),
            "{} breaks the rule told above",
            path.display()
        );
        count += 1;
    }
    assert!(count >= 10, "only {count} inputs");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// The sample with a piece of it replaced: near enough to YAML to get past the parser.
    #[test]
    fn a_damaged_sample_is_read_or_refused(at in 0_usize..2_000, cut in 0_usize..60, put in "[ -~\n]{0,12}") {
        let sample = include_str!("../../examples/gateway.yaml");
        let start = sample.floor_char_boundary(at.min(sample.len()));
        let end = sample.floor_char_boundary((start + cut).min(sample.len()));
        fuzzing::config([&sample[..start], &put, &sample[end..]].concat().as_bytes());
    }
}
