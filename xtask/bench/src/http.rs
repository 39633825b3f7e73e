//! As much HTTP/1.1 as a benchmark needs, and no more.

use memchr::memmem;

/// What a message's head says about its body.
#[derive(Debug, Clone, Copy, Default)]
pub struct Head {
    /// Of a reply; 0 for a request.
    pub status: u16,
    pub content_length: usize,
    pub chunked: bool,
}

/// Where the head ends, if it is there as a whole.
pub fn find_head(bytes: &[u8]) -> Option<usize> {
    memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4)
}

impl Head {
    /// Reads a head that [`find_head`] found.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut head = Self::default();
        let mut lines = bytes.split(|byte| *byte == b'\n');
        if let Some(first) = lines.next().filter(|line| line.starts_with(b"HTTP/1.1 ")) {
            head.status = decimal(&first[9..]) as u16;
        }
        for line in lines {
            let Some(colon) = memchr::memchr(b':', line) else {
                continue;
            };
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"content-length") {
                head.content_length = decimal(value);
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                head.chunked = value.eq_ignore_ascii_case(b"chunked");
            }
        }
        head
    }
}

fn decimal(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0, |number, byte| number * 10 + usize::from(byte - b'0'))
}

/// Reads a chunked body piece by piece; jumps over payloads instead of looking at each byte.
#[derive(Debug, Default)]
pub struct Chunked {
    state: State,
    size: usize,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    /// After the digits, up to the line's end.
    SizeEnd,
    Payload,
    /// The line end after a payload: so many bytes are left of it.
    PayloadEnd(u8),
    /// The empty line after the last chunk.
    LastEnd(u8),
    Done,
}

impl Chunked {
    /// Takes the next bytes, hands payloads on, and says whether the body is complete.
    pub fn push(&mut self, mut bytes: &[u8], mut payload: impl FnMut(&[u8])) -> bool {
        while let [first, rest @ ..] = bytes {
            match self.state {
                State::Size => {
                    match (*first as char).to_digit(16) {
                        Some(digit) => self.size = self.size * 16 + digit as usize,
                        None => self.state = State::SizeEnd,
                    }
                    if *first != b'\n' {
                        bytes = rest;
                    }
                }
                State::SizeEnd => {
                    if *first == b'\n' {
                        self.state = if self.size == 0 {
                            State::LastEnd(2)
                        } else {
                            State::Payload
                        };
                    }
                    bytes = rest;
                }
                State::Payload => {
                    let (now, later) = bytes.split_at(self.size.min(bytes.len()));
                    payload(now);
                    self.size -= now.len();
                    if self.size == 0 {
                        self.state = State::PayloadEnd(2);
                    }
                    bytes = later;
                }
                State::PayloadEnd(left) => {
                    self.state = if left == 1 {
                        State::Size
                    } else {
                        State::PayloadEnd(left - 1)
                    };
                    bytes = rest;
                }
                State::LastEnd(left) => {
                    self.state = if left == 1 {
                        State::Done
                    } else {
                        State::LastEnd(left - 1)
                    };
                    bytes = rest;
                }
                State::Done => break,
            }
        }
        self.state == State::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_split_of_a_chunked_body_gives_the_same() {
        let body = b"5\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n";
        for at in 0..=body.len() {
            let (mut chunked, mut seen) = (Chunked::default(), Vec::new());
            let first = chunked.push(&body[..at], |bytes| seen.extend_from_slice(bytes));
            assert_eq!(first, at == body.len(), "split at {at}");
            assert!(chunked.push(&body[at..], |bytes| seen.extend_from_slice(bytes)));
            assert_eq!(seen, b"helloabcdefghijklmnopqrstuvwxyz", "split at {at}");
        }
    }

    #[test]
    fn a_head_says_how_the_body_ends() {
        let reply = b"HTTP/1.1 429 Too Many\r\nContent-Length: 17\r\n\r\n";
        let head = Head::parse(&reply[..find_head(reply).unwrap()]);
        assert_eq!(
            (head.status, head.content_length, head.chunked),
            (429, 17, false)
        );
        assert!(Head::parse(b"POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n").chunked);
    }
}
