//! What the parameters of several plug-ins have in common.

use crate::pipeline::ParamError;

/// For plug-ins without parameters: any key is one too many.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoParams {}

/// Refuses parameters that make no sense.
pub(super) fn ensure(sense: bool, reason: &str) -> Result<(), ParamError> {
    if sense {
        Ok(())
    } else {
        Err(ParamError::new(reason))
    }
}
