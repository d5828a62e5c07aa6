//! The replay against closed forms, against the token-exact model, and against itself.

mod conservation;
mod forms;
mod leaps;
mod oracle;
mod split;
mod support;
mod trends;
