//! What a client asks for.

use bytes::Bytes;

use super::contents::Contents;
use crate::error::ApiError;
use crate::json::canonical::{self, Digest};
use crate::json::{Json, JsonError, Kind, Scanner};
use crate::text::Text;

/// A request for vectors, in OpenAI's shape.
///
/// Beyond OpenAI's parameters, `input_type` (`search_document`, `search_query`, `classification`, `clustering`) is
/// understood, for upstreams that want to know what the vectors are for.
#[derive(Clone, Debug)]
pub struct EmbeddingsRequest {
    /// As it came.
    pub body: Bytes,
    /// The client's name of the model.
    pub model: Option<String>,
    pub input: Input,
    pub encoding: Encoding,
    /// How many numbers a vector should have.
    pub dimensions: Option<Json>,
    pub user: Option<Text>,
    /// What the vectors are for, in the words above.
    pub purpose: Option<Text>,
    /// Other parameters, by name, as they were written.
    pub others: Vec<(Text, Json)>,
    /// Where the client speaks Gemini's protocol; `body` is made of it then.
    pub(super) contents: Option<Contents>,
}

/// What is to be turned into vectors, one each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Texts(Vec<Text>),
    /// Arrays of a tokenizer's numbers, each as it was written.
    Tokens(Vec<Json>),
}

/// How a vector is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// An array of numbers.
    #[default]
    Float,
    /// The numbers as 32-bit little-endian floats, in base64.
    Base64,
}

impl Input {
    /// How many vectors come of it.
    pub fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Tokens(tokens) => tokens.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl EmbeddingsRequest {
    /// Reads a body; all of it is checked to be JSON. `model` is the name that the path says.
    ///
    /// # Errors
    /// What is wrong, naming the parameter.
    pub fn decode(body: Bytes, model: Option<&str>) -> Result<Self, ApiError> {
        let mut request = Self {
            body: Bytes::new(),
            model: None,
            input: Input::Texts(Vec::new()),
            encoding: Encoding::Float,
            dimensions: None,
            user: None,
            purpose: None,
            others: Vec::new(),
            contents: None,
        };
        request.read(&body)?;
        request.model = model.map(str::to_owned).or(request.model);
        request.body = body;
        if request.input.is_empty() {
            let message = "The parameter 'input' is missing: give a text, or an array of them.";
            return Err(ApiError::invalid(message)
                .with_code("missing_required_parameter")
                .with_param("input"));
        }
        Ok(request)
    }

    /// As the client wrote it, whatever it speaks.
    pub fn written(&self) -> &Bytes {
        match &self.contents {
            Some(contents) => &contents.body,
            None => &self.body,
        }
    }

    /// The same request [`written`](Self::written) otherwise.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn with_body(&self, body: Bytes) -> Result<Self, ApiError> {
        match &self.contents {
            Some(contents) => Self::decode_contents(body, self.model.as_deref(), contents.batch),
            None => Self::decode(body, self.model.as_deref()),
        }
    }

    /// Top-level members that do not decide the answer. The model's name is told apart, for it can also stand in the path.
    pub fn set_aside(&self) -> &'static [&'static str] {
        match self.contents {
            None => &["model", "user"],
            Some(_) => &["model"],
        }
    }

    /// Appends what decides the answer, apart from where the request goes. Of long texts their `digest` is appended.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn write_identity(&self, out: &mut Vec<u8>, digest: Digest) -> Result<(), ApiError> {
        out.push(match &self.contents {
            None => b'o',
            Some(contents) if contents.batch => b'b',
            Some(_) => b'c',
        });
        canonical::write_without(self.set_aside(), self.written(), out, digest)
            .map_err(|error| not_json(&error))
    }

    fn read(&mut self, body: &Bytes) -> Result<(), ApiError> {
        let json = |error: JsonError| not_json(&error);
        let mut scanner = Scanner::from_utf8(body).map_err(json)?;
        let kind = scanner.peek().map_err(json)?;
        if kind != Kind::Object {
            let message = format!("The body must be a JSON object, not {}.", kind.name());
            return Err(ApiError::invalid(message));
        }
        let mut members = scanner.enter_object().map_err(json)?;
        while let Some(key) = scanner.next_member(&mut members).map_err(json)? {
            let kind = scanner.peek().map_err(json)?;
            let key = key.decode();
            match (&*key, kind) {
                (_, Kind::Null) => {
                    scanner.skip_value().map_err(json)?;
                }
                ("input", _) => self.input = input(body, &mut scanner)?,
                ("model", Kind::String) => {
                    let name = scanner.string().map_err(json)?;
                    self.model = Some(name.decode().into_owned());
                }
                ("user", Kind::String) => {
                    self.user = Some(scanner.string().map_err(json)?.text(body));
                }
                ("input_type", Kind::String) => {
                    self.purpose = Some(scanner.string().map_err(json)?.text(body));
                }
                ("encoding_format", Kind::String) => {
                    let word = scanner.string().map_err(json)?;
                    self.encoding = match &*word.decode() {
                        "float" => Encoding::Float,
                        "base64" => Encoding::Base64,
                        _ => return Err(wrong("encoding_format", "'float' or 'base64'")),
                    };
                }
                ("dimensions", Kind::Number) => {
                    let span = scanner.skip_value().map_err(json)?;
                    self.dimensions = Some(Json::of_valid(Text::slice_of(body, span)));
                }
                ("model" | "user" | "input_type" | "encoding_format", _) => {
                    return Err(wrong(&key, "a string"));
                }
                ("dimensions", _) => return Err(wrong("dimensions", "a whole number")),
                (other, _) => {
                    let span = scanner.skip_value().map_err(json)?;
                    let value = Json::of_valid(Text::slice_of(body, span));
                    self.others.push((Text::from(other), value));
                }
            }
        }
        scanner.end().map_err(json)
    }

    /// The inputs, where they are texts.
    pub fn texts(&self) -> Option<&[Text]> {
        match &self.input {
            Input::Texts(texts) => Some(texts),
            Input::Tokens(_) => None,
        }
    }
}

/// A text, an array of texts, an array of numbers, or an array of arrays of numbers.
fn input(body: &Bytes, scanner: &mut Scanner<'_>) -> Result<Input, ApiError> {
    const WANTED: &str = "a text, an array of texts, or arrays of tokens";
    let json = |error: JsonError| not_json(&error);
    match scanner.peek().map_err(json)? {
        Kind::String => {
            let text = scanner.string().map_err(json)?.text(body);
            return Ok(Input::Texts(vec![text]));
        }
        Kind::Array => {}
        _ => return Err(wrong("input", WANTED)),
    }
    let start = scanner.position();
    let mut items = scanner.enter_array().map_err(json)?;
    let mut first = None;
    let mut texts = Vec::new();
    let mut tokens = Vec::new();
    while scanner.next_item(&mut items).map_err(json)? {
        let kind = scanner.peek().map_err(json)?;
        if *first.get_or_insert(kind) != kind {
            return Err(wrong("input", WANTED));
        }
        match kind {
            Kind::String => texts.push(scanner.string().map_err(json)?.text(body)),
            Kind::Number => {
                scanner.skip_value().map_err(json)?;
            }
            Kind::Array => {
                let span = token_array(scanner)?;
                tokens.push(Json::of_valid(Text::slice_of(body, span)));
            }
            _ => return Err(wrong("input", WANTED)),
        }
    }
    if first == Some(Kind::Number) {
        let all = Text::slice_of(body, start..scanner.position());
        tokens.push(Json::of_valid(all));
    }
    Ok(if tokens.is_empty() {
        Input::Texts(texts)
    } else {
        Input::Tokens(tokens)
    })
}

fn token_array(scanner: &mut Scanner<'_>) -> Result<std::ops::Range<usize>, ApiError> {
    let json = |error: JsonError| not_json(&error);
    let start = scanner.position();
    let mut items = scanner.enter_array().map_err(json)?;
    while scanner.next_item(&mut items).map_err(json)? {
        if scanner.peek().map_err(json)? != Kind::Number {
            return Err(wrong(
                "input",
                "arrays of whole numbers, where it is arrays",
            ));
        }
        scanner.skip_value().map_err(json)?;
    }
    Ok(start..scanner.position())
}

fn wrong(param: &str, wanted: &str) -> ApiError {
    ApiError::invalid(format!("The parameter '{param}' must be {wanted}."))
        .with_code("invalid_type")
        .with_param(param.to_owned())
}

fn not_json(error: &JsonError) -> ApiError {
    ApiError::invalid(format!("The body is not valid JSON: {error}.")).with_code("invalid_json")
}
