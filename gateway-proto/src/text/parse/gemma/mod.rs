//! `<|tool_call>call:name{key:<|"|>text<|"|>,count:2}<tool_call|>`: Gemma 4. FunctionGemma writes the same between
//! `<start_function_call>` and `<end_function_call>`, with `<escape>` around strings; both are read.
//!
//! Keys are bare, and so are values that are no strings; a bare value is JSON if it reads so and the schema does not ask
//! for a string. Arguments that make no sense go on as they are up to the closing marker, which may be missing behind
//! whole ones. Inside open reasoning a call ends the reasoning, as in vLLM. Gemma 3 has no format of its own: prompts ask
//! it for lists of Python calls or JSON, which have families of their own.
mod calls;
mod object;

pub(super) use calls::Gemma;
