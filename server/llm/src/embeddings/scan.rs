//! Reading replies whose bulk is numbers: in one pass, without a tree of them.

use bytes::Bytes;

use super::Vector;
use crate::json::{Json, JsonError, Kind, Node, Scanner, Span};
use crate::text::Text;

/// Reads an object's members; anything else is passed over.
pub(super) fn members<'a>(
    scanner: &mut Scanner<'a>,
    mut read: impl FnMut(&str, &mut Scanner<'a>) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    if scanner.peek()? != Kind::Object {
        scanner.skip_value()?;
        return Ok(());
    }
    let mut members = scanner.enter_object()?;
    while let Some(key) = scanner.next_member(&mut members)? {
        read(&key.decode(), scanner)?;
    }
    Ok(())
}

/// Reads an array's items; anything else is passed over.
pub(super) fn items<'a>(
    scanner: &mut Scanner<'a>,
    mut read: impl FnMut(&mut Scanner<'a>) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    if scanner.peek()? != Kind::Array {
        scanner.skip_value()?;
        return Ok(());
    }
    let mut items = scanner.enter_array()?;
    while scanner.next_item(&mut items)? {
        read(scanner)?;
    }
    Ok(())
}

/// A vector: an array of numbers, or base64.
pub(super) fn vector(body: &Bytes, scanner: &mut Scanner<'_>) -> Result<Vector, JsonError> {
    match scanner.peek()? {
        Kind::String => Ok(Vector::Base64(scanner.string()?.text(body))),
        Kind::Array => {
            let start = scanner.position();
            items(scanner, |scanner| match scanner.peek()? {
                Kind::Number | Kind::Null => scanner.skip_value().map(drop),
                _ => Err(expected(scanner, "expected a number")),
            })?;
            let all = Text::slice_of(body, start..scanner.position());
            Ok(Vector::Floats(Json::of_valid(all)))
        }
        _ => Err(expected(scanner, "expected a vector")),
    }
}

/// A string, if it is one, and where it stands.
pub(super) fn string(
    body: &Bytes,
    scanner: &mut Scanner<'_>,
) -> Result<Option<(Text, Span)>, JsonError> {
    if scanner.peek()? != Kind::String {
        scanner.skip_value()?;
        return Ok(None);
    }
    let string = scanner.string()?;
    Ok(Some((string.text(body), string.span())))
}

/// A small part of the document, to be read as a tree.
pub(super) fn part(body: &Bytes, scanner: &mut Scanner<'_>) -> Result<Bytes, JsonError> {
    let span = scanner.skip_value()?;
    Ok(body.slice(span))
}

/// A count anywhere in a small part; what is not one is none.
pub(super) fn count(part: &Bytes, path: &[&str]) -> Option<u64> {
    let root = Node::parse(part).ok()?;
    let mut node = &root;
    for key in path {
        node = node.get(key)?;
    }
    node.u64().ok()
}

fn expected(scanner: &Scanner<'_>, problem: &'static str) -> JsonError {
    JsonError {
        at: scanner.position(),
        problem,
    }
}
