//! Chat templates: Jinja, rendered as `transformers` renders it.
//!
//! A [`Template`] is compiled once per model, from a [`TemplateSource`] and the model's [`SpecialTokens`], and turns an
//! [`ir::Request`](crate::ir::Request) into the text that the model was trained on. It knows no clock: the time that some
//! templates print is an argument.
//!
//! Templates come with models and are not trusted further than that: steps, nesting and length are bounded, and nothing
//! outside the request can be reached.
//!
//! ```
//! use gateway_proto::ir::{Content, Message, Prompt, Request};
//! use gateway_proto::text::template::{LocalTime, SpecialTokens, Template};
//!
//! let source = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>";
//! let template = Template::compile(source, SpecialTokens::default())?;
//! let said = Message { role: "user".into(), content: Some(Content::Text("Hi".into())), ..Message::default() };
//! let request = Request { prompt: Prompt::Messages(vec![said]), ..Request::default() };
//! assert_eq!(template.render(&request, LocalTime::from_unix(0, 0))?, "<user>Hi<assistant>");
//! # Ok::<(), gateway_proto::text::template::TemplateError>(())
//! ```

mod context;
mod engine;
mod error;
mod facts;
pub(crate) mod fuzz;
mod prepare;
mod python;
mod render;
mod resume;
mod source;
#[cfg(test)]
mod tests;
mod time;
mod tokens;

pub use error::TemplateError;
pub use facts::TemplateFacts;
pub use render::Template;
pub use source::TemplateSource;
pub use time::LocalTime;
pub use tokens::SpecialTokens;

/// The longest source of a template, in bytes.
pub const LONGEST_SOURCE: usize = 1 << 20;

/// The longest prompt a template may write, in bytes.
pub const LONGEST_PROMPT: usize = 64 << 20;
