//! What the chunks of a stream stand in.

use bytes::BytesMut;

/// Server-sent events, or the items of one JSON array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outer {
    Events,
    /// An array, and whether it has an item.
    Array(bool),
}

impl Outer {
    /// What stands before a chunk.
    pub fn before(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(match self {
            Self::Events => b"data: ",
            Self::Array(false) => b"[",
            Self::Array(true) => b",\r\n",
        });
        if let Self::Array(begun) = self {
            *begun = true;
        }
    }

    /// What stands after a chunk.
    pub fn after(self, out: &mut BytesMut) {
        out.extend_from_slice(match self {
            Self::Events => b"\r\n\r\n",
            Self::Array(_) => b"\n",
        });
    }

    /// What stands after the last.
    pub fn end(self, out: &mut BytesMut) {
        out.extend_from_slice(match self {
            Self::Events => b"",
            Self::Array(false) => b"[]",
            Self::Array(true) => b"]",
        });
    }
}
