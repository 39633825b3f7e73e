//! What comes beside a reply's text: where it was found, and how sure the model was.

use serde::{Deserialize, Serialize};

use crate::json::Json;
use crate::text::Text;

/// Where a piece of the answer comes from.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
pub struct Citation {
    pub url: Option<Text>,
    pub title: Option<Text>,
    /// What the source says.
    pub quoted: Option<Text>,
    /// The piece of the block's text that the source is for, in characters: from, up to but without.
    pub range: Option<(u32, u32)>,
    /// The source's number among the request's documents.
    pub document: Option<u32>,
}

/// How probable a token was.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct TokenLogprob {
    pub token: Text,
    /// The natural logarithm, as it was written.
    pub logprob: Json,
    /// The most probable tokens in its place.
    pub top: Vec<(Text, Json)>,
}
