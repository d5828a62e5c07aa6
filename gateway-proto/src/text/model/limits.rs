//! Whether prompt and answer fit.

use super::PrepareError;

/// The most tokens that may come out: what was asked for, else what the model's defaults say, and never more than the
/// context has left. Clients ask for more than fits as a matter of course, so that alone is no error.
///
/// # Errors
/// Where the prompt leaves no room for a single token.
pub(super) fn room(
    prompt: usize,
    asked: Option<u64>,
    usual: Option<u64>,
    context: u32,
) -> Result<u64, PrepareError> {
    let (prompt, context) = (prompt as u64, u64::from(context));
    if prompt >= context {
        return Err(PrepareError::TooLong { prompt, context });
    }
    let left = context - prompt;
    Ok(asked.or(usual).unwrap_or(left).min(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_gets_what_was_asked_for_and_the_context_has_left() {
        let room_of = |asked, usual| room(90, asked, usual, 100).expect("there is room");
        assert_eq!(room_of(Some(5), Some(7)), 5);
        assert_eq!(room_of(None, Some(7)), 7);
        assert_eq!(room_of(None, None), 10);
        assert_eq!(room_of(Some(32_000), None), 10);
    }

    #[test]
    fn a_prompt_that_fills_the_context_is_refused_with_both_numbers() {
        let error = room(100, Some(1), None, 100).expect_err("no room");
        let text = error.to_api().message;
        assert!(
            text.contains("100 tokens") && text.contains("has 100"),
            "{text}"
        );
    }
}
