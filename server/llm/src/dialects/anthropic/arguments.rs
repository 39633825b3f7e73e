//! A tool call's arguments, which this protocol has as an object, as they come in pieces.

/// Arguments as they come in pieces.
///
/// Pieces of an object are passed on as they come. What is no object from its first character on is held back:
/// the client then finds none, `{}`. An object that goes wrong further in cannot be taken back.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    state: State,
    depth: u32,
    in_string: bool,
    escaped: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Before,
    Inside,
    /// The object ended: nothing can follow.
    Complete,
    NoObject,
}

impl Arguments {
    /// Takes the next piece and says how much of it, from where to where, belongs to the object.
    pub(super) fn take(&mut self, piece: &str) -> std::ops::Range<usize> {
        let bytes = piece.as_bytes();
        let mut start = 0;
        if self.state == State::Before {
            let Some(first) = bytes.iter().position(|byte| !byte.is_ascii_whitespace()) else {
                return 0..0;
            };
            self.state = match bytes[first] {
                b'{' => State::Inside,
                _ => State::NoObject,
            };
            start = first;
        }
        if self.state != State::Inside {
            return 0..0;
        }
        for (at, byte) in bytes.iter().enumerate().skip(start) {
            if self.escaped {
                self.escaped = false;
                continue;
            }
            match byte {
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                b'{' | b'[' if !self.in_string => self.depth += 1,
                b'}' | b']' if !self.in_string => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.state = State::Complete;
                        return start..at + 1;
                    }
                }
                _ => {}
            }
        }
        start..bytes.len()
    }

    /// Whether nothing more can come.
    pub(super) fn complete(&self) -> bool {
        matches!(self.state, State::Complete | State::NoObject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(pieces: &[&str]) -> (String, bool) {
        let mut arguments = Arguments::default();
        let all = pieces.iter().map(|piece| &piece[arguments.take(piece)]);
        (all.collect(), arguments.complete())
    }

    #[test]
    fn an_object_is_complete_at_its_last_brace() {
        assert_eq!(
            taken(&[
                " ",
                "{\"a\":\"}",
                "\\",
                "\"{\",\"b\":[{}",
                "]",
                "}",
                " ",
                "{}"
            ]),
            ("{\"a\":\"}\\\"{\",\"b\":[{}]}".to_owned(), true)
        );
        assert_eq!(taken(&["{\"a\":"]), ("{\"a\":".to_owned(), false));
        assert_eq!(taken(&["", " \n"]), (String::new(), false));
    }

    #[test]
    fn what_is_no_object_is_none() {
        assert_eq!(taken(&["null"]), (String::new(), true));
        assert_eq!(taken(&["[", "{}", "]"]), (String::new(), true));
    }
}
