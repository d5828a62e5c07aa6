//! Hardware: rates that can be ones.

use gateway_core::latency::{Hardware, StepCosts};

use super::cx::Cx;
use crate::config::{ConfigError, file::HardwareFile, yaml::Path};

/// `path` is that of the section.
pub(super) fn check(file: &HardwareFile, path: &Path, cx: &Cx<'_>) -> Result<(), ConfigError> {
    if file.chips.is_some() && file.chip.is_none() {
        let reason = "write `chip` too; of a chip that has no name here, write `tflops` and `hbm_gbs` of all chips";
        return Err(cx.invalid(&path.key("chips"), reason));
    }
    if file.class.as_ref().is_some_and(String::is_empty) {
        return Err(cx.invalid(&path.key("class"), "must not be empty"));
    }
    let rates = [
        ("tflops", file.tflops),
        ("hbm_gbs", file.hbm_gbs),
        ("nic_gbs", file.nic_gbs),
        ("kv_bytes_per_token", file.kv_bytes_per_token),
        ("weight_bytes", file.weight_bytes),
    ];
    for (key, rate) in rates {
        if rate.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
            return Err(cx.invalid(&path.key(key), "must be a positive number"));
        }
    }
    let costs = file.costs.map(StepCosts::from);
    if costs.is_some_and(|costs| !costs.is_sound()) {
        let reason = "no time may be negative, and `prefill_ms_per_token` and `decode_base_ms` must be above 0";
        return Err(cx.invalid(&path.key("costs"), reason));
    }
    Ok(())
}

pub(super) fn lower(file: Option<HardwareFile>) -> Hardware {
    file.map(Hardware::from).unwrap_or_default()
}
