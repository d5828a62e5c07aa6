//! Sources made ready for the template engine.
//!
//! What Jinja does otherwise than the engine, and no setting of it changes, is written in other words, line by line the
//! same:
//!
//! * `value[a:b:c]` becomes a method call, as the engine's own slices give no lists and fail on empty ones;
//! * `for x in y` goes through a function, as the engine takes nothing (`none`) for an empty list and Jinja fails;
//! * a sum with texts marked `safe` becomes a call, as such texts escape what they are added to;
//! * `{% generation %}` blocks, which mark the assistant's words for training, become `{% with %}` blocks.

mod loops;
mod markup;
mod rewrite;
mod scan;
mod slices;
#[cfg(test)]
mod tests;

use rewrite::rewrite;
pub(super) use scan::prepare;
