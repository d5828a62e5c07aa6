//! How a comparison is shown.

use std::collections::BTreeMap;
use std::fmt::Write;

use gateway_proto::text::template::TemplateError;

use crate::reference::Outcome;

/// One template's comparison.
pub(crate) struct Row {
    name: String,
    prompts: usize,
    raised: usize,
    failed: usize,
    pub(crate) differences: Vec<String>,
}

impl Row {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            prompts: 0,
            raised: 0,
            failed: 0,
            differences: Vec::new(),
        }
    }

    pub(crate) fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Prompt(_) => self.prompts += 1,
            Outcome::Raised(_) => self.raised += 1,
            Outcome::Failed(_) => self.failed += 1,
        }
    }
}

/// Words of file names, and the family they stand for. The first that fits counts.
const FAMILIES: [(&str, &str); 36] = [
    ("DeepSeek", "DeepSeek"),
    ("deepseek", "DeepSeek"),
    ("Hermes", "Hermes"),
    ("functionary", "Functionary"),
    ("firefunction", "Firefunction"),
    ("Apertus", "Apertus"),
    ("Apriel", "Apriel"),
    ("Bielik", "Bielik"),
    ("Seed", "Seed"),
    ("Cohere", "Cohere Command"),
    ("GLM", "GLM"),
    ("GigaChat", "GigaChat"),
    ("SmolLM", "SmolLM"),
    ("Kimi", "Kimi"),
    ("LFM", "LFM"),
    ("MiMo", "MiMo"),
    ("MiniMax", "MiniMax"),
    ("MiniCPM", "MiniCPM"),
    ("istral", "Mistral"),
    ("Nemotron", "Nemotron"),
    ("Qwen", "Qwen"),
    ("QwQ", "Qwen"),
    ("Reka", "Reka"),
    ("Spark", "Spark"),
    ("StepFun", "Step"),
    ("gemma", "Gemma"),
    ("granite", "Granite"),
    ("ling", "Ling"),
    ("rwkv", "RWKV"),
    ("Llama", "Llama"),
    ("Phi", "Phi"),
    ("muse", "Muse"),
    ("gpt-oss", "GPT-OSS"),
    ("Laguna", "Laguna"),
    ("Hy3", "Hunyuan"),
    ("Solar", "Solar"),
];

fn family(name: &str) -> &str {
    let found = FAMILIES.iter().find(|(word, _)| name.contains(word));
    found.map_or("other", |(_, family)| family)
}

/// The table of `docs/template-parity.md`.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut families: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        families.entry(family(&row.name)).or_default().push(row);
    }
    let total = |count: fn(&Row) -> usize| rows.iter().map(count).sum::<usize>();
    let cases = total(|row| row.prompts + row.raised + row.failed);
    let mut out = format!(
        "# Chat templates beside `transformers`\n\n\
         {} templates of {} families, {} conversations each: {cases} renderings, of which {} gave a prompt, {} a message \
         of the template's own and {} another error; {} differ.\n\n\
         Prompts and raised messages must be equal to the byte; other errors must be errors on both sides. Written by\n\
         `cargo test -p gateway-proto --features text --test template_parity -- --ignored`, which\n\
         renders everything with `transformers` (pinned in `gateway-proto/tests/template_parity/requirements.txt`).\n\n\
         | Family | Template | Prompts | Raised | Other errors | Differences |\n|---|---|--:|--:|--:|--:|\n",
        rows.len(),
        families.len(),
        cases / rows.len().max(1),
        total(|row| row.prompts),
        total(|row| row.raised),
        total(|row| row.failed),
        total(|row| row.differences.len()),
    );
    for (family, rows) in families {
        for row in rows {
            writeln!(
                out,
                "| {family} | `{}` | {} | {} | {} | {} |",
                row.name.trim_end_matches(".jinja"),
                row.prompts,
                row.raised,
                row.failed,
                row.differences.len()
            )
            .unwrap();
        }
    }
    out
}

/// Where two outcomes part, with some text around.
pub(crate) fn first_difference(
    expected: &Outcome,
    found: &Result<String, TemplateError>,
) -> String {
    match (expected, found) {
        (Outcome::Prompt(expected), Ok(found)) => {
            let same = expected.chars().zip(found.chars());
            let at = same.take_while(|(a, b)| a == b).count();
            let around = |text: &str| -> String {
                text.chars().skip(at.saturating_sub(40)).take(100).collect()
            };
            format!("{:?} came out as {:?}", around(expected), around(found))
        }
        (Outcome::Prompt(_), Err(error)) => format!("failed with {error:?}"),
        (Outcome::Raised(expected), found) => {
            format!("raised {expected:?}, here {}", short(found))
        }
        (Outcome::Failed(expected), found) => {
            format!("failed with {expected}, here {}", short(found))
        }
    }
}

fn short(found: &Result<String, TemplateError>) -> String {
    match found {
        Ok(prompt) => format!("{:?}", prompt.chars().take(200).collect::<String>()),
        Err(error) => format!("{error:?}"),
    }
}
