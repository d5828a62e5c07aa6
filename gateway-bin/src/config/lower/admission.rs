//! Who waits when no endpoint has room.

use gateway_core::{
    admission::{AdmissionPolicy, Class, QueueLimits},
    pipeline::RoomLimits,
};
use gateway_router::AdmissionSettings;

use super::cx::Cx;
use crate::config::{
    ConfigError,
    file::{AdmissionFile, ClassFile},
    yaml::Path,
};

/// The section, checked; `None` where it is switched off.
pub(super) fn lower(
    file: &AdmissionFile,
    cx: &Cx<'_>,
) -> Result<Option<AdmissionSettings>, ConfigError> {
    let limits = QueueLimits {
        requests: file.requests.get(),
        tokens: file.tokens.get(),
        quantum_tokens: file.quantum_tokens.get(),
    };
    let class = |class: &ClassFile| Class {
        name: class.name.clone(),
        from: class.from,
        requests: class.requests.map_or(limits.requests, Into::into),
        tokens: class.tokens.map_or(limits.tokens, Into::into),
        wait_at_most: class.wait_at_most.0,
        share: class.share,
    };
    let policy = AdmissionPolicy::new(limits, file.classes.iter().map(class).collect());
    let policy = policy.map_err(|problem| {
        let path = Path::default().key("admission").key("classes");
        cx.invalid(&path, problem)
    })?;
    let room = RoomLimits {
        wait: file.wait_at_engine.0,
        requests: file.requests_at_engine.map(Into::into),
    };
    Ok(file.enabled.then(|| AdmissionSettings {
        room,
        policy: policy.into(),
    }))
}
