//! What the gateway is told.

use std::net::SocketAddr;
use std::path::Path;

/// One model that is served in two ways.
pub(crate) fn configuration(engine: SocketAddr, model: &Path) -> String {
    format!(
        "models:
  - name: text
  - name: tokens
    tokens:
      files: {}
      context_tokens: 131072
endpoints:
  - name: a
    url: \"http://{engine}\"
    kind: vllm
    models: [text, tokens]
",
        model.display()
    )
}
