//! What a chat request asks beside prompt, tools and sampling: reasoning, template, log probabilities.

use crate::ir::{Fields, LogprobsAsked, Reasoning, Request, TemplateOptions};
use crate::openai::CodecError;
use crate::openai::codec::object::{Builder, Object};

/// The template variables that switch reasoning on and off: the first with Qwen, GLM and Nemotron, the second with
/// DeepSeek, Kimi and Granite. Templates ignore what they do not know.
const SWITCHES: [&str; 2] = ["enable_thinking", "thinking"];

/// Names of the reasoning budget, as clients of vLLM, SGLang and the model makers send it.
const BUDGETS: [&str; 3] = [
    "thinking_token_budget",
    "max_thinking_tokens",
    "thinking_budget",
];

/// Takes the options into `request`.
pub(super) fn take(object: &mut Object, request: &mut Request) -> Result<(), CodecError> {
    request.parallel_tool_calls = object.take("parallel_tool_calls")?;
    request.logprobs = take_logprobs(object)?;
    request.echo = object.take_or_default("echo")?;
    request.template = take_template(object)?;
    request.reasoning = take_reasoning(object)?;
    settle(&mut request.reasoning, &mut request.template.kwargs)
}

/// Puts the options.
pub(super) fn put(builder: Builder, request: &Request) -> Builder {
    let (reasoning, template) = (&request.reasoning, &request.template);
    let mut kwargs = template.kwargs.clone();
    settle(&mut reasoning.clone(), &mut kwargs).expect("a flag is JSON");
    let top = request.logprobs.map(|asked| asked.top);
    let continues = template.continue_final_message;
    builder
        .put_some("parallel_tool_calls", request.parallel_tool_calls.as_ref())
        .put_flag("logprobs", top.is_some())
        .put_some("top_logprobs", top.filter(|top| *top > 0).as_ref())
        .put_flag("echo", request.echo)
        .put_some("reasoning_effort", reasoning.effort.as_ref())
        .put_some(BUDGETS[0], reasoning.budget_tokens.as_ref())
        .put_some("chat_template", template.template.as_ref())
        .put_some(
            "chat_template_kwargs",
            (!kwargs.is_empty()).then_some(&kwargs),
        )
        .put_some("documents", template.documents.as_ref())
        .put_some(
            "add_generation_prompt",
            template.add_generation_prompt.as_ref(),
        )
        .put_flag("continue_final_message", continues)
}

fn take_logprobs(object: &mut Object) -> Result<Option<LogprobsAsked>, CodecError> {
    let wanted: bool = object.take_or_default("logprobs")?;
    let top: u32 = object.take_or_default("top_logprobs")?;
    if top > 0 && !wanted {
        let path = object.path("top_logprobs");
        return Err(CodecError::invalid(path, "'logprobs' to be true beside it"));
    }
    Ok(wanted.then_some(LogprobsAsked { top }))
}

fn take_template(object: &mut Object) -> Result<TemplateOptions, CodecError> {
    let documents = object.fields.take_raw("documents");
    Ok(TemplateOptions {
        template: object.take("chat_template")?,
        kwargs: object.take_or_default("chat_template_kwargs")?,
        documents: documents.filter(|raw| raw.get() != "null").map(Into::into),
        add_generation_prompt: object.take("add_generation_prompt")?,
        continue_final_message: object.take_or_default("continue_final_message")?,
    })
}

fn take_reasoning(object: &mut Object) -> Result<Reasoning, CodecError> {
    let mut asked = Reasoning {
        effort: object.take("reasoning_effort")?,
        ..Reasoning::default()
    };
    for name in BUDGETS {
        let budget = take_budget(object, name)?;
        asked.budget_tokens = asked.budget_tokens.or(budget);
    }
    if let Some(mut inner) = object.take_object("reasoning")? {
        asked.effort = asked.effort.or(inner.take("effort")?);
        asked.enabled = inner.take("enabled")?;
        let budget = take_budget(&mut inner, "max_tokens")?;
        asked.budget_tokens = asked.budget_tokens.or(budget);
        object.put_back("reasoning", &inner)?;
    }
    if let Some(mut inner) = object.take_object("thinking")? {
        asked.enabled = asked.enabled.or(take_switch(&mut inner)?);
        let budget = take_budget(&mut inner, "budget_tokens")?;
        asked.budget_tokens = asked.budget_tokens.or(budget);
        object.put_back("thinking", &inner)?;
    }
    Ok(asked)
}

/// Below nought means no bound.
fn take_budget(object: &mut Object, key: &str) -> Result<Option<u64>, CodecError> {
    let tokens: Option<i64> = object.take(key)?;
    Ok(tokens.and_then(|tokens| u64::try_from(tokens).ok()))
}

fn take_switch(thinking: &mut Object) -> Result<Option<bool>, CodecError> {
    let word: Option<String> = thinking.take("type")?;
    match word.as_deref() {
        Some("enabled") => Ok(Some(true)),
        Some("disabled") => Ok(Some(false)),
        Some("adaptive" | "auto") | None => Ok(None),
        Some(_) => Err(CodecError::invalid(
            thinking.path("type"),
            "'enabled', 'disabled' or 'adaptive'",
        )),
    }
}

/// Makes the switch and the template's variables say the same. A variable that the caller set stays as it is.
fn settle(reasoning: &mut Reasoning, kwargs: &mut Fields) -> Result<(), CodecError> {
    if reasoning.effort.as_deref() == Some("none") {
        reasoning.enabled = reasoning.enabled.or(Some(false));
    }
    let mut set = SWITCHES.iter().filter_map(|name| kwargs.raw(name));
    match set.next() {
        Some(said) => {
            reasoning.enabled = reasoning.enabled.or(match said {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            });
        }
        None => {
            let Some(enabled) = reasoning.enabled else {
                return Ok(());
            };
            for name in SWITCHES {
                kwargs.put(name, &enabled)?;
            }
        }
    }
    Ok(())
}
