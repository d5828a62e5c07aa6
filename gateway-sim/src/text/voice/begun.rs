//! Answers that go on from what a prompt already holds of them.

use gateway_proto::text::parse::Tags;

/// What comes behind `begun` in `reply`; `tags` stand around the model's reasoning.
///
/// Where the prompt opened reasoning that the reply has none of, the reasoning is closed empty. Where reasoning was closed
/// in another place than the reply does, the reply goes on behind its own. A beginning that the reply does not have ends
/// the answer.
pub(super) fn rest_of(reply: &str, begun: &str, tags: Option<&Tags>) -> String {
    if let Some(rest) = reply.strip_prefix(begun) {
        return rest.to_owned();
    }
    let Some(tags) = tags else {
        return String::new();
    };
    if begun.trim() == tags.open() {
        return match reply.trim_start().strip_prefix(tags.open()) {
            Some(thoughts) => thoughts.trim_start().to_owned(),
            None => format!("{}\n\n{reply}", tags.close()),
        };
    }
    let Some((_, said)) = begun.rsplit_once(tags.close()) else {
        return String::new();
    };
    let (_, answer) = reply.split_once(tags.close()).unwrap_or(("", reply));
    let rest = answer.trim_start().strip_prefix(said.trim_start());
    rest.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(reply: &str, begun: &str) -> String {
        rest_of(reply, begun, Some(&Tags::think()))
    }

    #[test]
    fn an_answer_is_continued_where_it_was_left() {
        let reply = "<think>\nLong thoughts.\n</think>\n\nYes, it is.";
        assert_eq!(
            rest(reply, "<think>\nLong"),
            " thoughts.\n</think>\n\nYes, it is."
        );
        assert_eq!(
            rest(reply, "<think>\nLo\n</think>\n\n"),
            "Yes, it is.",
            "closed early"
        );
        assert_eq!(rest(reply, "<think>\n\n</think>\n\nYes,"), " it is.");
        assert_eq!(rest("Yes.", "No"), "");
        assert_eq!(rest_of("Yes.", "<think>", None), "");
    }

    #[test]
    fn reasoning_that_the_prompt_opened_is_gone_on_with_or_closed() {
        let reply = "<think>Hm.</think>Yes.";
        assert_eq!(rest(reply, "<think>\n"), "Hm.</think>Yes.");
        assert_eq!(rest("Yes.", "<think>\n"), "</think>\n\nYes.");
    }
}
