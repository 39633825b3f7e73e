//! A client's body in the upstream's own protocol, with what the upstream needs spliced in.

use bytes::Bytes;

use super::request::{model_path, wire};
use crate::chat::{ChatRequest, Losses};
use crate::codec::{Target, WireRequest};
use crate::error::ApiError;
use crate::json::{Edit, JsonError, Node, Object, Scanner, Span, object, quote, splice};
use crate::segments::Segments;

pub(super) fn encode(request: &ChatRequest, target: &Target<'_>) -> Result<WireRequest, ApiError> {
    let body = body(&request.body, target).map_err(|error| {
        ApiError::invalid(format!("The body is not valid JSON: {error}.")).with_code("invalid_json")
    })?;
    let mut wire = wire(request, target, body, Losses::default());
    wire.form.carried = true;
    Ok(wire)
}

fn body(body: &Bytes, target: &Target<'_>) -> Result<Segments, JsonError> {
    let places = Places::scan(body)?;
    let mut edits = Vec::new();
    if let Some(span) = places.model {
        let named = model_path(target.model);
        edits.push(Edit {
            span,
            with: quote(named.trim_start_matches('/')),
        });
    }
    let Some(prompt) = target.system_prompt else {
        return Ok(splice(body, edits));
    };
    let part = object(|part| part.string("text", prompt));
    if let Some(span) = places.system {
        edits.push(appended(body, &span, &part)?);
        return Ok(splice(body, edits));
    }
    // An object that is carried has at least its contents.
    let content = [b"\"systemInstruction\":{\"parts\":[", &part[..], b"]},"].concat();
    edits.push(Edit {
        span: places.start..places.start,
        with: Bytes::from(content),
    });
    Ok(splice(body, edits))
}

/// Where the values stand that may have to change.
struct Places {
    /// After the opening brace.
    start: usize,
    model: Option<Span>,
    system: Option<Span>,
}

impl Places {
    fn scan(body: &Bytes) -> Result<Self, JsonError> {
        let mut scanner = Scanner::from_utf8(body)?;
        let mut members = scanner.enter_object()?;
        let mut places = Self {
            start: scanner.position(),
            model: None,
            system: None,
        };
        while let Some(key) = scanner.next_member(&mut members)? {
            let span = scanner.skip_value()?;
            match &*key.decode() {
                "model" => places.model = Some(span),
                "systemInstruction" | "system_instruction" => places.system = Some(span),
                _ => {}
            }
        }
        Ok(places)
    }
}

/// The system instruction with one more part after its own.
fn appended(body: &Bytes, span: &Span, part: &Bytes) -> Result<Edit, JsonError> {
    let own = body.slice(span.clone());
    let instruction = Node::parse(&own)?;
    let parts = instruction.get("parts");
    let edit = |span: Span, pieces: &[&[u8]]| Edit {
        span,
        with: Bytes::from(pieces.concat()),
    };
    Ok(match parts {
        Some(parts) => {
            let at = span.start + parts.span().start..span.start + parts.span().end;
            match parts.array() {
                Ok([]) => edit(at.end - 1..at.end - 1, &[part]),
                Ok(_) => edit(at.end - 1..at.end - 1, &[b",", part]),
                Err(_) => edit(at.clone(), &[b"[", &body[at], b",", part, b"]"]),
            }
        }
        // A text alone, which some clients send.
        None if instruction.str().is_ok() => edit(
            span.clone(),
            &[b"{\"parts\":[{\"text\":", &own, b"},", part, b"]}"],
        ),
        None if instruction.object().is_ok() => {
            let mut instruction = Object::scan(own)?;
            let parts = [b"[", &part[..], b"]"].concat();
            instruction.set("parts", Bytes::from(parts));
            Edit {
                span: span.clone(),
                with: instruction.finish().concat(),
            }
        }
        None => edit(span.clone(), &[b"{\"parts\":[", part, b"]}"]),
    })
}
