//! What is refused before anything is made of a request.

use gateway_proto::{
    error::ApiError,
    ir::{MOST_CHOICES, Request},
    text::model::PrepareError,
};

use crate::{ErrorKind, Retry, RouteError};

/// How many choices each prompt is to have.
///
/// # Errors
/// Where there is no prompt, or all of them together ask for more than one answer may have: each choice can take a call
/// of its own.
pub(super) fn choices(request: &Request) -> Result<u32, RouteError> {
    let each = request.sampling.n.unwrap_or(1).max(1);
    let prompts = request.prompt.count();
    if prompts == 0 {
        return Err(bad_request(PrepareError::Empty.to_api()));
    }
    let all = (prompts as u64).saturating_mul(each.into());
    if all <= MOST_CHOICES.into() {
        return Ok(each);
    }
    let message = format!(
        "The request asks for {all} choices, prompts times 'n'; at most {MOST_CHOICES} come in one answer. Send several \
         requests."
    );
    let api = ApiError::invalid_request(message)
        .with_code("too_many_choices")
        .with_param("n");
    Err(bad_request(api))
}

/// The error of a request that its caller must change.
pub(super) fn bad_request(api: ApiError) -> RouteError {
    RouteError::new(ErrorKind::BadRequest, Retry::Never, api)
}
