//! `json.dumps`, as the `tojson` filter of chat templates.
#![expect(
    clippy::needless_pass_by_value,
    reason = "the engine hands arguments over by value"
)]

use std::fmt::{self, Write};

use minijinja::value::{Kwargs, Rest, Value, ValueKind};
use minijinja::{Error, ErrorKind};

use super::generator::Generator;
use super::number::{Number, float_text};

/// Deepest nesting written.
const DEEPEST: usize = 256;

/// `tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False)`.
pub(super) fn tojson(value: &Value, args: Rest<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let options = Options::read(&args, &kwargs)?;
    kwargs.assert_all_used()?;
    let mut out = String::new();
    Writer {
        out: &mut out,
        options: &options,
    }
    .value(value, 0)?;
    Ok(Value::from(out))
}

struct Options {
    ensure_ascii: bool,
    /// What one level is indented by; `None` keeps all on one line.
    indent: Option<String>,
    between: String,
    colon: String,
    sort_keys: bool,
}

impl Options {
    fn read(args: &[Value], kwargs: &Kwargs) -> Result<Self, Error> {
        let given = |at: usize, name: &str| -> Result<Option<Value>, Error> {
            let value = match args.get(at) {
                Some(value) => Some(value.clone()),
                None => kwargs.get::<Option<Value>>(name)?,
            };
            Ok(value.filter(|value| !value.is_none()))
        };
        let indent = given(1, "indent")?
            .map(|value| indent(&value))
            .transpose()?;
        let (between, colon) = match given(2, "separators")? {
            Some(pair) => separators(&pair)?,
            None if indent.is_some() => (",".to_owned(), ": ".to_owned()),
            None => (", ".to_owned(), ": ".to_owned()),
        };
        Ok(Self {
            ensure_ascii: given(0, "ensure_ascii")?.is_some_and(|value| value.is_true()),
            indent,
            between,
            colon,
            sort_keys: given(3, "sort_keys")?.is_some_and(|value| value.is_true()),
        })
    }
}

fn indent(value: &Value) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let width = value.as_i64().ok_or_else(|| wrong("indent"))?;
    let width = usize::try_from(width.clamp(0, 64)).unwrap_or(0);
    Ok(" ".repeat(width))
}

fn separators(pair: &Value) -> Result<(String, String), Error> {
    let items: Vec<Value> = pair.try_iter()?.collect();
    match items.as_slice() {
        [between, colon] => {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            text(between)
                .zip(text(colon))
                .ok_or_else(|| wrong("separators"))
        }
        _ => Err(wrong("separators")),
    }
}

fn wrong(name: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("tojson: bad {name}"))
}

struct Writer<'a> {
    out: &'a mut String,
    options: &'a Options,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(Error::new(ErrorKind::BadSerialization, "nested too deeply"));
        }
        match value.kind() {
            ValueKind::None => self.out.push_str("null"),
            ValueKind::Bool => self
                .out
                .push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.number(value),
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Seq => self.list(value, depth)?,
            ValueKind::Iterable if value.downcast_object_ref::<Generator>().is_none() => {
                self.list(value, depth)?;
            }
            ValueKind::Map => self.dict(value, depth)?,
            kind => match value.downcast_object_ref::<Number>() {
                Some(number) => self.words(number.text()),
                None => {
                    let text = format!("Object of type {kind} is not JSON serializable");
                    return Err(Error::new(ErrorKind::BadSerialization, text));
                }
            },
        }
        Ok(())
    }

    fn number(&mut self, value: &Value) {
        match f64::try_from(value.clone()) {
            Ok(number) if !value.is_integer() => self.words(&float_text(number)),
            _ => push(self.out, format_args!("{value}")),
        }
    }

    /// Python's `inf` and `nan` have other names in JSON.
    fn words(&mut self, text: &str) {
        self.out.push_str(match text {
            "inf" => "Infinity",
            "-inf" => "-Infinity",
            "nan" => "NaN",
            text => text,
        });
    }

    fn list(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.out.push('[');
        let mut any = false;
        for item in value.try_iter()? {
            self.separate(any, depth + 1);
            any = true;
            self.value(&item, depth + 1)?;
        }
        self.close(any, depth, ']');
        Ok(())
    }

    fn dict(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let object = value.as_object();
        let pairs = object.and_then(|object| object.try_iter_pairs());
        let mut pairs: Vec<(String, Value)> = pairs
            .into_iter()
            .flatten()
            .map(|(key, value)| Ok((name(&key)?, value)))
            .collect::<Result<_, Error>>()?;
        if self.options.sort_keys {
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
        }
        self.out.push('{');
        for (at, (key, value)) in pairs.iter().enumerate() {
            self.separate(at > 0, depth + 1);
            self.string(key);
            self.out.push_str(&self.options.colon);
            self.value(value, depth + 1)?;
        }
        self.close(!pairs.is_empty(), depth, '}');
        Ok(())
    }

    fn separate(&mut self, follows: bool, depth: usize) {
        if follows {
            self.out.push_str(&self.options.between);
        }
        self.line(depth);
    }

    fn close(&mut self, any: bool, depth: usize, mark: char) {
        if any {
            self.line(depth);
        }
        self.out.push(mark);
    }

    fn line(&mut self, depth: usize) {
        if let Some(indent) = &self.options.indent {
            self.out.push('\n');
            for _ in 0..depth {
                self.out.push_str(indent);
            }
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        let mut from = 0;
        for (at, c) in text.char_indices() {
            let escape = match c {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\u{8}' => "\\b",
                '\u{c}' => "\\f",
                c if c < ' '
                    || (self.options.ensure_ascii && !('\u{20}'..='\u{7e}').contains(&c)) =>
                {
                    ""
                }
                _ => continue,
            };
            self.out.push_str(&text[from..at]);
            from = at + c.len_utf8();
            if escape.is_empty() {
                self.code(c);
            } else {
                self.out.push_str(escape);
            }
        }
        self.out.push_str(&text[from..]);
        self.out.push('"');
    }

    fn code(&mut self, c: char) {
        for unit in c.encode_utf16(&mut [0; 2]) {
            push(self.out, format_args!("\\u{unit:04x}"));
        }
    }
}

/// A member's name: Python turns scalars into strings.
fn name(key: &Value) -> Result<String, Error> {
    match key.kind() {
        ValueKind::String => Ok(key.as_str().unwrap_or_default().to_owned()),
        ValueKind::None => Ok("null".to_owned()),
        ValueKind::Bool => Ok(if key.is_true() { "true" } else { "false" }.to_owned()),
        ValueKind::Number => {
            let mut text = String::new();
            let written = super::repr::write_repr(&mut text, key);
            written.map(|()| text).map_err(Error::from)
        }
        kind => Err(Error::new(
            ErrorKind::BadSerialization,
            format!("keys must be str, int, float, bool or None, not {kind}"),
        )),
    }
}

fn push(out: &mut String, text: fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes all");
}
