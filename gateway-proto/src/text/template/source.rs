//! Where a model's files keep its template.

use serde::Deserialize;

use super::TemplateError;

/// The templates of a model, by name.
///
/// Most models have one, named `default`. Older ones keep several in `tokenizer_config.json`: `tool_use` for requests with
/// tools, `rag` for such with documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateSource {
    named: Vec<(String, String)>,
}

/// The name of the template that a model has at least.
const DEFAULT: &str = "default";

#[derive(Deserialize)]
struct Config {
    chat_template: Option<Templates>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Templates {
    One(String),
    Named(Vec<Named>),
}

#[derive(Deserialize)]
struct Named {
    name: String,
    template: String,
}

impl TemplateSource {
    /// Takes `chat_template.jinja` where there is one, else `chat_template` of `tokenizer_config.json`.
    ///
    /// # Errors
    /// [`TemplateError::Config`] for a configuration that cannot be read, [`TemplateError::NoTemplate`] where neither file
    /// has one.
    pub fn from_files(
        jinja: Option<&str>,
        tokenizer_config: Option<&[u8]>,
    ) -> Result<Self, TemplateError> {
        let one = |text: String| vec![(DEFAULT.to_owned(), text)];
        let named = match (jinja, tokenizer_config) {
            (Some(text), _) => one(text.to_owned()),
            (None, Some(bytes)) => match serde_json::from_slice::<Config>(bytes)?.chat_template {
                Some(Templates::One(text)) => one(text),
                Some(Templates::Named(list)) => list
                    .into_iter()
                    .map(|entry| (entry.name, entry.template))
                    .collect(),
                None => Vec::new(),
            },
            (None, None) => Vec::new(),
        };
        if named.is_empty() {
            return Err(TemplateError::NoTemplate);
        }
        Ok(Self { named })
    }

    /// The source of a template.
    ///
    /// # Errors
    /// [`TemplateError::NoSuchTemplate`].
    pub fn named(&self, name: &str) -> Result<&str, TemplateError> {
        let found = self.named.iter().find(|(known, _)| known == name);
        found
            .map(|(_, source)| source.as_str())
            .ok_or_else(|| TemplateError::NoSuchTemplate(name.to_owned()))
    }

    /// The names in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(name, _)| name.as_str())
    }

    /// The template for a request with or without tools: `tool_use` for tools where there is one, else `default`.
    ///
    /// # Errors
    /// [`TemplateError::NoSuchTemplate`] when there is no `default`.
    pub fn for_tools(&self, has_tools: bool) -> Result<&str, TemplateError> {
        if has_tools && let Ok(source) = self.named("tool_use") {
            return Ok(source);
        }
        self.named(DEFAULT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jinja_file_wins() {
        let config = br#"{"chat_template": "from config"}"#;
        let both = TemplateSource::from_files(Some("from file"), Some(config)).unwrap();
        assert_eq!(both.for_tools(false).unwrap(), "from file");
        let config_alone = TemplateSource::from_files(None, Some(config)).unwrap();
        assert_eq!(config_alone.for_tools(true).unwrap(), "from config");
    }

    #[test]
    fn tools_have_a_template_of_their_own() {
        let config = br#"{"chat_template": [
            {"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]}"#;
        let source = TemplateSource::from_files(None, Some(config)).unwrap();
        assert_eq!(source.for_tools(false).unwrap(), "a");
        assert_eq!(source.for_tools(true).unwrap(), "b");
        assert_eq!(source.names().collect::<Vec<_>>(), ["default", "tool_use"]);
        assert!(matches!(
            source.named("rag"),
            Err(TemplateError::NoSuchTemplate(_))
        ));
    }

    #[test]
    fn a_model_without_template_is_told_so() {
        assert!(matches!(
            TemplateSource::from_files(None, Some(b"{}")),
            Err(TemplateError::NoTemplate)
        ));
        assert!(matches!(
            TemplateSource::from_files(None, Some(b"{\"chat_template\": 3}")),
            Err(TemplateError::Config(_))
        ));
    }
}
