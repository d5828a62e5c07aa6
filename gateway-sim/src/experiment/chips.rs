//! Fleets in one line: `4x8b-h100,4x8b-l40s`.

use gateway_core::decider::RoleName;

use super::ChipGroup;
use crate::model::ChipProfile;

/// Why such a line is no fleet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChipsError {
    /// A part of another form.
    #[error(
        "`{0}` is not of the form COUNTxPROFILE[:prefill|:decode][+HOST_TOKENS], such as 4x8b-h100 or 2x8b-h200:decode"
    )]
    Form(String),
    /// No chip profile has this name.
    #[error("unknown chip profile `{0}`; known: {known}", known = ChipProfile::names().collect::<Vec<_>>().join(", "))]
    UnknownProfile(String),
}

/// Reads groups of engines, separated by commas: count, `x`, profile; then `:prefill` or `:decode` for a split pool, and
/// `+` with the tokens of KV cache in host memory.
///
/// # Errors
/// With the part that is wrong.
///
/// ```
/// let groups = gateway_sim::experiment::parse_chips("2x8b-h100:prefill,3x8b-mi300x:decode+1000000")?;
/// assert_eq!(groups[1].count, 3);
/// assert_eq!(groups[1].host_tokens, 1_000_000);
/// # Ok::<(), gateway_sim::experiment::ChipsError>(())
/// ```
pub fn parse_chips(line: &str) -> Result<Vec<ChipGroup>, ChipsError> {
    line.split(',').map(|part| group(part.trim())).collect()
}

fn group(part: &str) -> Result<ChipGroup, ChipsError> {
    let form = || ChipsError::Form(part.to_owned());
    let (count, rest) = part.split_once('x').ok_or_else(form)?;
    let (rest, host) = match rest.split_once('+') {
        Some((rest, host)) => (rest, host.parse().map_err(|_| form())?),
        None => (rest, 0),
    };
    let (profile, role) = match rest.split_once(':') {
        None | Some((_, "both")) => (rest.trim_end_matches(":both"), RoleName::Both),
        Some((profile, "prefill")) => (profile, RoleName::Prefill),
        Some((profile, "decode")) => (profile, RoleName::Decode),
        Some(_) => return Err(form()),
    };
    if ChipProfile::named(profile).is_none() {
        return Err(ChipsError::UnknownProfile(profile.to_owned()));
    }
    let count = count.parse().map_err(|_| form())?;
    Ok(ChipGroup {
        role,
        host_tokens: host,
        ..ChipGroup::new(count, profile)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_and_what_is_right() {
        for (line, told) in [
            ("", "`` is not of the form"),
            ("8b-h100", "`8b-h100` is not of the form"),
            ("2x8b-h100:both+1,", "`` is not of the form"),
            ("2x8b-h100:dcode", "`2x8b-h100:dcode` is not"),
            ("2x8b-h100+many", "`2x8b-h100+many` is not"),
            ("-1x8b-h100", "`-1x8b-h100` is not"),
            (
                "2x8b-abacus",
                "unknown chip profile `8b-abacus`; known: 8b-h100, ",
            ),
        ] {
            let error = parse_chips(line).unwrap_err().to_string();
            assert!(error.starts_with(told), "{line}: {error}");
        }
    }
}
