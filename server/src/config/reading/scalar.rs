//! Values that fit on one line: what they look like, read and written.

use std::net::IpAddr;

use ipnet::IpNet;

use super::did_you_mean;
use crate::config::document::Value;

/// What a value may look like in a file besides text. Text always does: environment variables are nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Form {
    Text,
    Number,
    Bool,
}

/// A value of one line.
pub(in crate::config) trait Scalar: Sized {
    /// What an error says should be there.
    const EXPECTED: &'static str;
    /// How it is written in a file.
    const FORM: Form;

    /// The value, or what is wrong and what would be right. `text` is not empty.
    fn parse(text: &str) -> Result<Self, String>;

    /// As TOML, such that it reads back the same; masked if it is secret.
    fn literal(&self) -> String;

    /// The text that a value of the file stands for: `None` as if it were left out.
    fn text_of(value: &Value) -> Result<Option<String>, String> {
        match (value, Self::FORM) {
            (Value::Null, _) => Ok(None),
            (Value::Text(text), _) => Ok(Some(text.clone())),
            (Value::Integer(digits) | Value::Float(digits), Form::Number) => {
                Ok(Some(digits.clone()))
            }
            (Value::Bool(bool), Form::Bool) => Ok(Some(bool.to_string())),
            (Value::Integer(_) | Value::Float(_) | Value::Bool(_), Form::Text) => {
                Err(format!("expected {}: put it in quotes", Self::EXPECTED))
            }
            _ => Err(format!(
                "expected {}, found {}",
                Self::EXPECTED,
                value.noun()
            )),
        }
    }
}

/// `text` as a TOML string.
pub(in crate::config) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl Scalar for String {
    const EXPECTED: &'static str = "text";
    const FORM: Form = Form::Text;

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn literal(&self) -> String {
        quoted(self)
    }
}

impl Scalar for bool {
    const EXPECTED: &'static str = "true or false";
    const FORM: Form = Form::Bool;

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|_| format!("expected {}, found \"{text}\"", Self::EXPECTED))
    }

    fn literal(&self) -> String {
        self.to_string()
    }
}

impl Scalar for IpAddr {
    const EXPECTED: &'static str = "an IP address such as \"127.0.0.1\", \"0.0.0.0\" or \"::1\"";
    const FORM: Form = Form::Text;

    fn parse(text: &str) -> Result<Self, String> {
        let address = if text == "localhost" {
            "127.0.0.1"
        } else {
            text
        };
        address
            .parse()
            .map_err(|_| format!("expected {}, found \"{text}\"", Self::EXPECTED))
    }

    fn literal(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Scalar for IpNet {
    const EXPECTED: &'static str = "a network such as \"10.0.0.0/8\" or an IP address";
    const FORM: Form = Form::Text;

    fn parse(text: &str) -> Result<Self, String> {
        let address = || text.parse::<IpAddr>().map(Self::from);
        text.parse::<Self>()
            .or_else(|_| address())
            .map_err(|_| format!("expected {}, found \"{text}\"", Self::EXPECTED))
    }

    fn literal(&self) -> String {
        quoted(&self.to_string())
    }
}

/// Integers, each with its range in the message.
macro_rules! numbers {
    ($($type:ty: $expected:literal),*) => {$(
        impl Scalar for $type {
            const EXPECTED: &'static str = $expected;
            const FORM: Form = Form::Number;

            fn parse(text: &str) -> Result<Self, String> {
                text.parse()
                    .map_err(|_| format!("expected {}, found \"{text}\"", Self::EXPECTED))
            }

            fn literal(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

numbers! {
    u8: "a whole number from 0 to 255",
    u16: "a whole number from 0 to 65535",
    u32: "a whole number from 0 to 4294967295",
    u64: "a whole number, 0 or more",
    usize: "a whole number, 0 or more",
    i32: "a whole number from -2147483648 to 2147483647"
}

/// A choice among words.
pub(in crate::config) trait Words: Copy + PartialEq + 'static {
    /// What the choice is about: "strategy".
    const NOUN: &'static str;
    /// Each value and how it is written.
    const WORDS: &'static [(&'static str, Self)];
}

impl<T: Words> Scalar for T {
    const EXPECTED: &'static str = T::NOUN;
    const FORM: Form = Form::Text;

    fn parse(text: &str) -> Result<Self, String> {
        let found = T::WORDS.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
            format!(
                "unknown {} \"{text}\"; {}",
                T::NOUN,
                did_you_mean(text, &words)
            )
        })
    }

    fn literal(&self) -> String {
        let found = T::WORDS.iter().find(|(_, value)| value == self);
        quoted(found.expect("every value has its word").0)
    }
}
