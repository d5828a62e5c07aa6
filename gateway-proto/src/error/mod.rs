//! Errors as clients see them: OpenAI's shape, and the engines' shapes turned into it.
//!
//! ```
//! use gateway_proto::error::{ApiError, EngineFault};
//!
//! let missing = ApiError::unknown_model("gpt-x");
//! assert_eq!(missing.status, 404);
//!
//! let fault = EngineFault::parse(404, br#"{"detail":"Not Found"}"#);
//! assert_eq!(fault.error.message, "Not Found");
//! ```
mod api;
mod fault;
mod sanitise;
#[cfg(test)]
mod tests;

pub use api::ApiError;
pub use fault::{EngineFault, FaultShape};
