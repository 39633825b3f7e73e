//! Bodies of several parts: forms with files, <https://www.rfc-editor.org/rfc/rfc7578>

use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem;

use crate::error::ApiError;
use crate::segments::Segments;

/// The longest value of a field that is read, in bytes.
const MAX_VALUE: usize = 1 << 10;
/// The longest headers of a part, in bytes.
const MAX_HEADERS: usize = 16 << 10;
/// The most white space behind a boundary, in bytes.
const MAX_PADDING: usize = 256;

/// Reads a form while it passes. Files go by; only the few fields of [`MultipartHead`] are kept.
///
/// Push every chunk, also after the model is known: a second `model` further behind would be another request than
/// the one that was allowed, and is refused.
#[derive(Debug)]
pub struct Multipart {
    /// CRLF, two hyphens and the boundary.
    delimiter: Vec<u8>,
    finder: memmem::Finder<'static>,
    place: Place,
    /// What came and is not yet read.
    buffer: BytesMut,
    /// Where the buffer starts in the body, which is read as if a CRLF came before it, as before every boundary.
    offset: u64,
    head: MultipartHead,
}

/// What has to be known of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MultipartHead {
    /// The client's name of the model.
    pub model: Option<String>,
    pub stream: bool,
    pub response_format: Option<String>,
    /// Where in the body the model's name stands.
    model_at: Range<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Preamble,
    Headers,
    Value(Field),
    /// A file, or a field that is none of ours.
    Other,
    Epilogue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Model,
    Stream,
    StreamFormat,
    ResponseFormat,
}

/// What was found looking for the next boundary.
enum Boundary {
    /// It starts here, and what follows it starts there.
    Found { at: usize, end: usize, last: bool },
    /// Not before here.
    NotYet { safe: usize },
}

const BEFORE: &[u8] = b"\r\n";

impl Multipart {
    /// `content_type`: the request's, which names the boundary.
    ///
    /// # Errors
    /// It is no form, or names no boundary.
    pub fn new(content_type: &str) -> Result<Self, ApiError> {
        let boundary = boundary(content_type).ok_or_else(|| {
            ApiError::invalid("The Content-Type must be 'multipart/form-data' with a boundary.")
        })?;
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        Ok(Self {
            finder: memmem::Finder::new(&delimiter).into_owned(),
            delimiter,
            place: Place::Preamble,
            buffer: BytesMut::from(BEFORE),
            offset: 0,
            head: MultipartHead::default(),
        })
    }

    /// Reads the next chunk.
    ///
    /// # Errors
    /// The body is no form, a field is too long, or the model is named twice.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), ApiError> {
        if self.place == Place::Epilogue {
            return Ok(());
        }
        self.buffer.extend_from_slice(chunk);
        while self.step()? {}
        Ok(())
    }

    /// What was read so far.
    pub fn head(&self) -> &MultipartHead {
        &self.head
    }

    /// The body ended.
    ///
    /// # Errors
    /// It ended before its last boundary.
    pub fn finish(&self) -> Result<(), ApiError> {
        if self.place == Place::Epilogue {
            return Ok(());
        }
        Err(ApiError::invalid(
            "The multipart body ends before its last boundary.",
        ))
    }

    /// Whether there may be more to do.
    fn step(&mut self) -> Result<bool, ApiError> {
        match self.place {
            Place::Epilogue => {
                self.consume(self.buffer.len());
                Ok(false)
            }
            Place::Headers => self.headers(),
            Place::Preamble | Place::Other | Place::Value(_) => self.content(),
        }
    }

    fn content(&mut self) -> Result<bool, ApiError> {
        match self.boundary() {
            Boundary::Found { at, end, last } => {
                if let Place::Value(field) = self.place {
                    self.value(field, at)?;
                }
                self.consume(end);
                self.place = if last {
                    Place::Epilogue
                } else {
                    Place::Headers
                };
                Ok(true)
            }
            Boundary::NotYet { safe } if matches!(self.place, Place::Value(_)) => {
                if safe > MAX_VALUE {
                    return Err(too_long());
                }
                Ok(false)
            }
            Boundary::NotYet { safe } => {
                self.consume(safe);
                Ok(false)
            }
        }
    }

    fn boundary(&self) -> Boundary {
        let bytes = &self.buffer[..];
        let mut from = 0;
        while let Some(found) = self.finder.find(&bytes[from..]) {
            let at = from + found;
            let after = &bytes[at + self.delimiter.len()..];
            let padding = after
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
            let rest = &after[padding..];
            let end = at + self.delimiter.len() + padding + 2;
            let last = rest.starts_with(b"--");
            if last || rest.starts_with(b"\r\n") {
                return Boundary::Found { at, end, last };
            }
            let undecided = rest.is_empty() || rest == b"-" || rest == b"\r";
            if undecided && padding <= MAX_PADDING {
                return Boundary::NotYet { safe: at };
            }
            // A line that only begins like a boundary.
            from = at + 1;
        }
        let tail = self.delimiter.len() - 1;
        Boundary::NotYet {
            safe: bytes.len().saturating_sub(tail).max(from),
        }
    }

    fn headers(&mut self) -> Result<bool, ApiError> {
        let bytes = &self.buffer[..];
        let (length, end) = if bytes.starts_with(BEFORE) {
            (0, 2)
        } else {
            match memmem::find(bytes, b"\r\n\r\n") {
                Some(at) => (at, at + 4),
                None if bytes.len() > MAX_HEADERS => {
                    let message = "The headers of a part of the multipart body are too long.";
                    return Err(ApiError::invalid(message));
                }
                None => return Ok(false),
            }
        };
        let field = field_name(&bytes[..length]).and_then(|name| match &*name {
            "model" => Some(Field::Model),
            "stream" => Some(Field::Stream),
            "stream_format" => Some(Field::StreamFormat),
            "response_format" => Some(Field::ResponseFormat),
            _ => None,
        });
        self.consume(end);
        self.place = field.map_or(Place::Other, Place::Value);
        Ok(true)
    }

    fn value(&mut self, field: Field, length: usize) -> Result<(), ApiError> {
        if length > MAX_VALUE {
            return Err(too_long());
        }
        let value = std::str::from_utf8(&self.buffer[..length])
            .map_err(|_| ApiError::invalid("A field of the multipart body is not UTF-8."))?
            .to_owned();
        match field {
            Field::Model => {
                let start = self.offset - BEFORE.len() as u64;
                self.head.model_at = start..start + value.len() as u64;
                if self.head.model.replace(value).is_some() {
                    let message = "The field 'model' is given twice.";
                    return Err(ApiError::invalid(message).with_param("model"));
                }
            }
            Field::Stream => self.head.stream |= matches!(&*value, "true" | "True" | "1"),
            Field::StreamFormat => self.head.stream |= value == "sse",
            Field::ResponseFormat => self.head.response_format = Some(value),
        }
        Ok(())
    }

    fn consume(&mut self, length: usize) {
        self.buffer.advance(length);
        self.offset += length as u64;
    }
}

impl MultipartHead {
    /// The body's length with another name of the model, where it was `length` before.
    pub fn length_with(&self, model: &str, length: u64) -> u64 {
        let old = self.model_at.end - self.model_at.start;
        match self.model {
            Some(_) => length.saturating_sub(old) + model.len() as u64,
            None => length,
        }
    }

    /// The chunks that have come so far, with another name of the model. All of the name must have come; what
    /// comes behind is passed on as it is.
    pub fn with_model(&self, chunks: &[Bytes], model: &str) -> Segments {
        let mut out = Segments::default();
        if self.model.is_none() {
            chunks.iter().for_each(|chunk| out.push(chunk.clone()));
            return out;
        }
        let name = &self.model_at;
        let mut start = 0;
        let mut written = false;
        for chunk in chunks {
            let end = start + chunk.len() as u64;
            let within = |at: u64| usize::try_from(at.clamp(start, end) - start).unwrap_or(0);
            out.push(chunk.slice(..within(name.start)));
            if !written && end >= name.start {
                written = true;
                out.push(Bytes::copy_from_slice(model.as_bytes()));
            }
            out.push(chunk.slice(within(name.end)..));
            start = end;
        }
        out
    }
}

/// The `boundary` of a `multipart/form-data`.
fn boundary(content_type: &str) -> Option<String> {
    let (essence, parameters) = content_type.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary")?;
    let plain = |byte: u8| (b' '..=b'~').contains(&byte);
    let good = (1..=200).contains(&boundary.len()) && boundary.bytes().all(plain);
    good.then_some(boundary)
}

/// The `name` in a part's `Content-Disposition: form-data; name="…"`.
fn field_name(headers: &[u8]) -> Option<String> {
    let headers = std::str::from_utf8(headers).ok()?;
    headers.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if !name.trim().eq_ignore_ascii_case("content-disposition") {
            return None;
        }
        let (_, parameters) = value.split_once(';')?;
        parameter(parameters, "name")
    })
}

/// The value of one of `a=b; c="d"`.
fn parameter(mut parameters: &str, wanted: &str) -> Option<String> {
    loop {
        let (name, rest) = parameters.split_once('=')?;
        let rest = rest.trim_start();
        let (value, rest) = match rest.strip_prefix('"') {
            Some(rest) => quoted(rest)?,
            None => {
                let end = rest.find(';').unwrap_or(rest.len());
                (rest[..end].trim_end().to_owned(), &rest[end..])
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        parameters = rest.trim_start().strip_prefix(';')?;
    }
}

/// What stands before the closing quote, and what behind.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

fn too_long() -> ApiError {
    let message = format!(
        "A field of the multipart body is longer than {MAX_VALUE} bytes: only files may be."
    );
    ApiError::invalid(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; charset=utf-8; boundary=\"b 1\"";

    fn form(parts: &[(&str, &str)]) -> Bytes {
        let mut body = String::new();
        for (disposition, value) in parts {
            body.push_str(&format!(
                "--b 1\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n"
            ));
        }
        Bytes::from(body + "--b 1--\r\n")
    }

    fn read(body: &Bytes, size: usize) -> Result<MultipartHead, ApiError> {
        let mut multipart = Multipart::new(TYPE)?;
        for chunk in body.chunks(size) {
            multipart.push(chunk)?;
        }
        multipart.finish()?;
        Ok(multipart.head().clone())
    }

    #[test]
    fn fields_are_found_wherever_chunks_end() {
        let body = form(&[
            (
                r#"name="file"; filename="a\"; name=\"model""#,
                "RIFF\r\n--b 12\r\n--b\r\n",
            ),
            (r#"name="model""#, "whisper-1"),
            ("name=response_format", "srt"),
            (r#"NAME="stream""#, "true"),
            (r#"name="prompt""#, ""),
        ]);
        for size in 1..body.len() {
            let head = read(&body, size).unwrap();
            assert_eq!(head.model.as_deref(), Some("whisper-1"));
            assert_eq!(head.response_format.as_deref(), Some("srt"));
            assert!(head.stream);
            let chunks: Vec<_> = body.chunks(size).map(Bytes::copy_from_slice).collect();
            let renamed = head.with_model(&chunks, "w").concat();
            let expected = String::from_utf8(body.to_vec()).unwrap();
            let expected = expected.replace("whisper-1", "w");
            assert_eq!(std::str::from_utf8(&renamed).unwrap(), expected);
            assert_eq!(
                head.length_with("w", body.len() as u64),
                renamed.len() as u64
            );
        }
    }

    #[test]
    fn the_model_is_known_before_the_file_has_come() {
        let body = form(&[
            (r#"name="model""#, "m"),
            (r#"name="file"; filename="f""#, "…"),
        ]);
        let file = memmem::find(&body, b"filename").unwrap();
        let mut multipart = Multipart::new(TYPE).unwrap();
        multipart.push(&body[..file]).unwrap();
        assert_eq!(multipart.head().model.as_deref(), Some("m"));
        let seen = [body.slice(..file)];
        let head = multipart.head().clone();
        assert_eq!(
            head.with_model(&seen, "longer").len() as u64,
            head.length_with("longer", file as u64)
        );
        assert!(multipart.finish().is_err());
    }

    #[test]
    fn an_empty_name_is_replaced_too() {
        let body = form(&[(r#"name="model""#, ""), (r#"name="n""#, "1")]);
        for size in 1..body.len() {
            let head = read(&body, size).unwrap();
            assert_eq!(head.model.as_deref(), Some(""));
            let chunks: Vec<_> = body.chunks(size).map(Bytes::copy_from_slice).collect();
            let renamed = head.with_model(&chunks, "m").concat();
            assert_eq!(
                renamed,
                form(&[(r#"name="model""#, "m"), (r#"name="n""#, "1")])
            );
        }
    }

    #[test]
    fn a_second_model_is_refused() {
        let body = form(&[(r#"name="model""#, "cheap"), (r#"name="model""#, "dear")]);
        let error = read(&body, 7).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("model"));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for bad in [
            "application/json",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/mixed; boundary=x",
            "multipart/form-data; boundary=\"x",
        ] {
            assert!(Multipart::new(bad).is_err(), "{bad}");
        }
        assert!(read(&Bytes::from_static(b"{}"), 1).is_err());
        let long = form(&[(r#"name="model""#, &"m".repeat(2_000))]);
        assert!(read(&long, 100).is_err());
        assert!(read(&long, long.len()).is_err());
    }
}
