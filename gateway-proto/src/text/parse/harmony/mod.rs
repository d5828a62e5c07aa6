//! Channels and recipients: the Harmony format of GPT-OSS.
//!
//! An answer is a row of messages, `<|start|>assistant<|channel|>analysis<|message|>..<|end|>` and so on; the prompt ends
//! with the first one's `<|start|>assistant`. `analysis` is reasoning. A message to a tool is a call, wherever in the head
//! the recipient stands: `to=functions.name` a call of `name`, other tools (`browser.search`, `python`) calls by their
//! whole name, with what the model wrote as arguments even where that is no JSON. Everything else is text: `final`,
//! `commentary` to nobody (the preamble of a call) and channels that nobody knows.
//!
//! A message without an end gives way to the next head. A head that makes no sense is text, and so is what stands outside
//! of messages, but for white space between them. An answer cut short within a head loses the rest of the head alone.
mod grammar;
mod head;

pub(super) use grammar::Harmony;
