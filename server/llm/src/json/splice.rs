//! Changes to a document by spans: all other bytes stay as they are.

use bytes::Bytes;

use super::{JsonError, Node, Scanner, Span, quote};
use crate::segments::Segments;

/// Bytes to put where other bytes stand; an empty span inserts, empty bytes remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub span: Span,
    pub with: Bytes,
}

/// `body` with the edits made. They may come in any order, and insertions at one place are made in the order given.
/// One that reaches into another, or beyond the body, is left out.
pub fn splice(body: &Bytes, mut edits: Vec<Edit>) -> Segments {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut out = Segments::default();
    let mut at = 0;
    for Edit { span, with } in edits {
        if span.start < at || span.end < span.start || span.end > body.len() {
            debug_assert!(false, "edits overlap or leave the body");
            continue;
        }
        out.push(body.slice(at..span.start));
        out.push(with);
        at = span.end;
    }
    out.push(body.slice(at..));
    out
}

/// Takes items out of an array, each with a comma beside it.
pub fn remove_items(list: &[Node<'_>], which: &[bool], edits: &mut Vec<Edit>) {
    let first_kept = which.iter().position(|gone| !gone);
    for (at, item) in list.iter().enumerate().filter(|(at, _)| which[*at]) {
        let span = item.span();
        let span = if first_kept.is_some_and(|first| at > first) {
            list[at - 1].span().end..span.end
        } else {
            let next = list.get(at + 1).map(|next| next.span().start);
            span.start..next.unwrap_or(span.end)
        };
        edits.push(Edit {
            span,
            with: Bytes::new(),
        });
    }
}

/// A top-level object of which members may be set and removed.
#[derive(Clone, Debug)]
pub struct Object {
    body: Bytes,
    /// After the opening brace.
    start: usize,
    members: Vec<Member>,
    edits: Vec<Edit>,
    inserted: Vec<Bytes>,
}

#[derive(Clone, Debug)]
struct Member {
    /// What the key says, where something in it is escaped.
    escaped: Option<String>,
    /// The key, quotes included.
    written: Span,
    value: Span,
    kept: bool,
}

impl Member {
    fn is(&self, key: &str, body: &Bytes) -> bool {
        match &self.escaped {
            Some(own) => own == key,
            None => body[self.written.start + 1..self.written.end - 1] == *key.as_bytes(),
        }
    }
}

impl Object {
    /// # Errors
    /// Not an object, or not JSON.
    pub fn scan(body: Bytes) -> Result<Self, JsonError> {
        let mut scanner = Scanner::from_utf8(&body)?;
        let mut members = scanner.enter_object()?;
        let start = scanner.position();
        let mut found = Vec::new();
        while let Some(key) = scanner.next_member(&mut members)? {
            found.push(Member {
                escaped: key.plain().is_none().then(|| key.decode().into_owned()),
                written: key.span(),
                value: scanner.skip_value()?,
                kept: true,
            });
        }
        scanner.end()?;
        Ok(Self {
            body,
            start,
            members: found,
            edits: Vec::new(),
            inserted: Vec::new(),
        })
    }

    /// The bytes of a member's value; the last one counts where a key comes twice.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        Some(&self.body[self.span(key)?])
    }

    /// Sets a member to `value`, which is JSON. A new one goes first. Each key once.
    pub fn set(&mut self, key: &str, value: Bytes) {
        let mut known = false;
        for member in self
            .members
            .iter()
            .filter(|member| member.is(key, &self.body))
        {
            known = true;
            self.edits.push(Edit {
                span: member.value.clone(),
                with: value.clone(),
            });
        }
        if !known {
            let member = [&quote(key)[..], b":", &value[..]].concat();
            self.inserted.push(Bytes::from(member));
        }
    }

    /// Where a member's value stands in the body; the last one counts where a key comes twice.
    pub fn span(&self, key: &str) -> Option<Span> {
        let mut members = self.members.iter().rev();
        let member = members.find(|member| member.is(key, &self.body))?;
        Some(member.value.clone())
    }

    /// Gives a member another key, wherever it stands.
    pub fn rename(&mut self, key: &str, to: &str) {
        for member in self
            .members
            .iter()
            .filter(|member| member.is(key, &self.body))
        {
            self.edits.push(Edit {
                span: member.written.clone(),
                with: quote(to),
            });
        }
    }

    /// Changes a place inside of a member that is neither set nor removed.
    pub fn edit(&mut self, edit: Edit) {
        self.edits.push(edit);
    }

    /// Removes a member, wherever it stands and however often.
    pub fn remove(&mut self, key: &str) {
        for member in &mut self.members {
            if member.is(key, &self.body) {
                member.kept = false;
            }
        }
    }

    /// The object with its changes.
    pub fn finish(self) -> Segments {
        let mut edits: Vec<Edit> = Vec::new();
        let kept = |member: &Member| member.kept;
        // A removed member goes with the comma before it; those before the first kept one, with the comma after.
        let first_kept = self.members.iter().position(kept);
        for (at, member) in self
            .members
            .iter()
            .enumerate()
            .filter(|(_, member)| !member.kept)
        {
            let span = if first_kept.is_some_and(|first| at > first) {
                self.members[at - 1].value.end..member.value.end
            } else {
                let end = self
                    .members
                    .get(at + 1)
                    .map_or(member.value.end, |next| next.written.start);
                member.written.start..end
            };
            edits.push(Edit {
                span,
                with: Bytes::new(),
            });
        }
        let survives = |edit: &Edit| {
            let removed = |member: &Member| {
                !member.kept
                    && member.written.start <= edit.span.start
                    && edit.span.end <= member.value.end
            };
            !self.members.iter().any(removed)
        };
        edits.extend(self.edits.iter().filter(|edit| survives(edit)).cloned());
        if !self.inserted.is_empty() {
            let mut with = self.inserted.join(&b","[..]);
            if first_kept.is_some() {
                with.push(b',');
            }
            edits.push(Edit {
                span: self.start..self.start,
                with: Bytes::from(with),
            });
        }
        splice(&self.body, edits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &'static str) -> Object {
        Object::scan(Bytes::from_static(json.as_bytes())).unwrap()
    }

    fn text(object: Object) -> String {
        String::from_utf8(object.finish().concat().to_vec()).unwrap()
    }

    #[test]
    fn what_is_not_changed_stays_as_it_was() {
        let mut changed = object("{ \"a\" : 1.0 ,\t\"model\":\"x\", \"\\u0062\" :[ ] }");
        changed.set("model", quote("y"));
        assert_eq!(
            text(changed),
            "{ \"a\" : 1.0 ,\t\"model\":\"y\", \"\\u0062\" :[ ] }"
        );
    }

    #[test]
    fn a_new_member_goes_first() {
        let mut changed = object(r#"{"a":1}"#);
        changed.set("b", Bytes::from_static(b"2"));
        changed.set("c", Bytes::from_static(b"3"));
        assert_eq!(text(changed), r#"{"b":2,"c":3,"a":1}"#);
        let mut empty = object("{ }");
        empty.set("b", Bytes::from_static(b"2"));
        assert_eq!(text(empty), r#"{"b":2 }"#);
    }

    #[test]
    fn members_are_removed_with_a_comma() {
        for (key, expected) in [
            ("a", r#"{"b":2,"c":3}"#),
            ("b", r#"{"a":1,"c":3}"#),
            ("c", r#"{"a":1,"b":2}"#),
        ] {
            let mut changed = object(r#"{"a":1,"b":2,"c":3}"#);
            changed.remove(key);
            assert_eq!(text(changed), expected);
        }
        let mut all = object(r#"{"a":1,"b":2}"#);
        all.set("b", Bytes::from_static(b"3"));
        all.remove("a");
        all.remove("b");
        all.set("c", Bytes::from_static(b"4"));
        assert_eq!(text(all), r#"{"c":4}"#);
    }

    #[test]
    fn a_member_is_renamed() {
        let mut changed = object(r#"{"a" : 1,"b":{"c":2}}"#);
        changed.rename("a", "x");
        let inner = changed.span("b").unwrap();
        changed.edit(Edit {
            span: inner.start + 5..inner.start + 6,
            with: Bytes::from_static(b"3"),
        });
        assert_eq!(text(changed.clone()), r#"{"x" : 1,"b":{"c":3}}"#);
        changed.remove("a");
        assert_eq!(text(changed), r#"{"b":{"c":3}}"#);
    }

    #[test]
    fn a_key_that_comes_twice_is_changed_twice() {
        let mut changed = object(r#"{"a":1,"a":2}"#);
        changed.set("a", Bytes::from_static(b"3"));
        assert_eq!(text(changed), r#"{"a":3,"a":3}"#);
    }
}
