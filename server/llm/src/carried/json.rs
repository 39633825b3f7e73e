//! Bodies that are JSON.

use bytes::Bytes;

use super::Operation;
use crate::error::ApiError;
use crate::json::{JsonError, Kind, Object, Scanner, quote};
use crate::segments::Segments;

/// What has to be known of a JSON body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonHead {
    /// The client's name of the model.
    pub model: Option<String>,
    pub stream: bool,
    pub response_format: Option<String>,
    /// How many characters are to be spoken.
    pub characters: Option<u64>,
}

impl JsonHead {
    /// Reads a body; all of it is checked to be JSON.
    ///
    /// # Errors
    /// What is wrong, naming the parameter.
    pub fn read(operation: &Operation, body: &Bytes) -> Result<Self, ApiError> {
        let mut head = Self::default();
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
            match (&*key.decode(), kind) {
                ("model", Kind::String) => {
                    let name = scanner.string().map_err(json)?.decode().into_owned();
                    if head.model.replace(name).is_some() {
                        let message = "The parameter 'model' is given twice.";
                        return Err(ApiError::invalid(message).with_param("model"));
                    }
                }
                ("model", kind) if kind != Kind::Null => {
                    let message = format!(
                        "The parameter 'model' must be a string, not {}.",
                        kind.name()
                    );
                    return Err(ApiError::invalid(message).with_param("model"));
                }
                ("stream", Kind::Bool) => {
                    let span = scanner.skip_value().map_err(json)?;
                    head.stream = &scanner.text()[span] == "true";
                }
                // Speech calls its streams so.
                ("stream_format", Kind::String) => {
                    head.stream |= scanner.string().map_err(json)?.is("sse");
                }
                ("response_format", Kind::String) => {
                    let word = scanner.string().map_err(json)?.decode().into_owned();
                    head.response_format = Some(word);
                }
                ("input", Kind::String) if operation.counts_input => {
                    let text = scanner.string().map_err(json)?;
                    head.characters = Some(text.decode().chars().count() as u64);
                }
                _ => {
                    scanner.skip_value().map_err(json)?;
                }
            }
        }
        scanner.end().map_err(json)?;
        Ok(head)
    }
}

/// A JSON object with the upstream's name of the model; all else stays byte for byte.
///
/// # Errors
/// It is no object.
pub fn with_model(body: &Bytes, model: &str) -> Result<Segments, ApiError> {
    let mut object = Object::scan(body.clone()).map_err(|error| not_json(&error))?;
    object.set("model", quote(model));
    Ok(object.finish())
}

fn not_json(error: &JsonError) -> ApiError {
    ApiError::invalid(format!("The body is not valid JSON: {error}.")).with_code("invalid_json")
}
