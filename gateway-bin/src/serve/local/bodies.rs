//! Bodies of the routes whose model may be left out.

use bytes::{Bytes, BytesMut};
use gateway_proto::openai::RequestView;

/// `body` with the model's name in it, which the readers of requests ask for.
pub(super) fn with_model(view: &RequestView, body: &Bytes) -> Bytes {
    let Some(opening) = body.iter().position(|byte| *byte == b'{') else {
        return body.clone();
    };
    if !view.model_span.is_empty() {
        return body.clone();
    }
    let name = serde_json::Value::from(&*view.model).to_string();
    let mut named = BytesMut::with_capacity(body.len() + name.len() + 10);
    for part in [b"{\"model\":", name.as_bytes(), b",", &body[opening + 1..]] {
        named.extend_from_slice(part);
    }
    named.freeze()
}

#[cfg(test)]
mod tests {
    use gateway_proto::openai::{Api, ViewLimits};

    use super::*;

    #[test]
    fn a_name_is_put_in_where_there_is_none() {
        for (body, named) in [
            (r#" {"prompt":"x"}"#, r#"{"model":"a\"b","prompt":"x"}"#),
            (
                r#"{"prompt":"x","model":"m"}"#,
                r#"{"prompt":"x","model":"m"}"#,
            ),
        ] {
            let body = Bytes::from_static(body.as_bytes());
            let view = RequestView::parse(Api::Tokenize, &body, &ViewLimits::default());
            let mut view = view.expect("a request");
            if view.model.is_empty() {
                view.model = "a\"b".into();
            }
            assert_eq!(with_model(&view, &body), named);
        }
    }
}
