//! The demonstration's model: a real tokenizer and template, and nobody who can think behind them.

use gateway_proto::text::model::{ModelError, ModelFiles, ModelOptions, TextModel};
use gateway_sim::text::{ModelVoice, Script, VoiceError};

/// Longer than the model's own, so that long prompts can be tried; the engines have room for it.
const CONTEXT_TOKENS: u32 = 32_768;

/// What the gateway serves it with.
pub(super) fn served() -> Result<TextModel, ModelError> {
    let options = ModelOptions {
        context_tokens: Some(CONTEXT_TOKENS),
        ..ModelOptions::default()
    };
    TextModel::load(&files(), &options)
}

/// What an engine speaks: sentences made up as they come.
pub(super) fn voice() -> Result<ModelVoice, VoiceError> {
    ModelVoice::new(&files(), Script::default())
}

fn files() -> ModelFiles {
    ModelFiles {
        tokenizer: include_bytes!("model/tokenizer.json").to_vec(),
        tokenizer_config: Some(include_bytes!("model/tokenizer_config.json").to_vec()),
        chat_template: Some(include_str!("model/chat_template.jinja").to_owned()),
        generation_config: Some(include_bytes!("model/generation_config.json").to_vec()),
        config: Some(include_bytes!("model/config.json").to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_and_its_engines_know_the_same_tokens() {
        let model = served().expect("whole files");
        let voice = gateway_sim::text::Voice::Model(Box::new(voice().expect("whole files")));
        let ids = voice.encode("<think>\nHm.\n</think>\n\nHello.<|im_end|>");
        assert_eq!(model.context_tokens(), CONTEXT_TOKENS);
        assert_eq!(model.text_of(&ids), voice.decode(&ids));
        assert_eq!(ids.last().copied(), Some(voice.eos()));
    }
}
