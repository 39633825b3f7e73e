//! What a request to an endpoint beside chat can consume.

use bytes::Bytes;

use super::{Ceiling, input};
use crate::audio::{SPEECH, TRANSCRIPTIONS, TRANSLATIONS};
use crate::carried::Operation;
use crate::images::{EDITS, GENERATIONS, VARIATIONS};
use crate::json::Node;
use crate::rerank::RerankRequest;

/// Tokens that an image is made of, however large and good, with the drafts of it that are shown.
const IMAGE_OUT: u64 = 20_000;
/// The same of one that is looked at.
const IMAGE_IN: u64 = 20_000;
/// As many images as one request gets, or gives.
const MOST_IMAGES: u64 = 16;
/// Tokens that a character is spoken with, as slowly as it goes.
const TOKENS_PER_CHARACTER: u64 = 20;
/// Recordings have at least so many bytes a second.
const BYTES_PER_SECOND: u64 = 1_000;
/// Tokens of a second of sound, what is said in it included.
const TOKENS_PER_SECOND: u64 = 60;
/// What counts as one search: so many documents, each of so many tokens at most.
const SEARCH_DOCUMENTS: u64 = 100;
const SEARCH_TOKENS: u64 = 500;

/// A request with a JSON body.
pub fn carried(operation: &Operation, body: &Bytes, characters: Option<u64>) -> Ceiling {
    let is = |other: &Operation| other.name == operation.name;
    let input_tokens = input(body);
    if is(&SPEECH) {
        let characters = characters.unwrap_or(body.len() as u64);
        return Ceiling {
            input_tokens,
            output_tokens: characters.saturating_mul(TOKENS_PER_CHARACTER),
            characters,
            ..Ceiling::default()
        };
    }
    if is(&GENERATIONS) || is(&EDITS) || is(&VARIATIONS) {
        let images = match Node::parse(body) {
            Ok(root) => root.get("n").map_or(1, |n| n.u64().unwrap_or(MOST_IMAGES)),
            Err(_) => MOST_IMAGES,
        };
        let images = images.max(1);
        return Ceiling {
            input_tokens,
            output_tokens: images.saturating_mul(IMAGE_OUT),
            images,
            ..Ceiling::default()
        };
    }
    Ceiling {
        input_tokens,
        ..Ceiling::default()
    }
}

/// Vectors of texts.
pub fn embeddings(body: &Bytes) -> Ceiling {
    Ceiling {
        input_tokens: input(body),
        ..Ceiling::default()
    }
}

/// A form of so many bytes, which is not read.
pub fn form(operation: &Operation, bytes: u64) -> Ceiling {
    let is = |other: &Operation| other.name == operation.name;
    if is(&TRANSCRIPTIONS) || is(&TRANSLATIONS) {
        let seconds = bytes / BYTES_PER_SECOND + 1;
        return Ceiling {
            input_tokens: seconds.saturating_mul(TOKENS_PER_SECOND) + IMAGE_IN,
            output_tokens: seconds.saturating_mul(TOKENS_PER_SECOND),
            audio_ms: seconds.saturating_mul(1_000),
            ..Ceiling::default()
        };
    }
    Ceiling {
        // What is written beside the images is no longer than this.
        input_tokens: MOST_IMAGES * IMAGE_IN + bytes.min(100_000),
        output_tokens: MOST_IMAGES * IMAGE_OUT,
        images: MOST_IMAGES,
        ..Ceiling::default()
    }
}

/// A query over documents. Some count the query with each of them.
pub fn rerank(request: &RerankRequest, body: &Bytes) -> Ceiling {
    let documents = request.documents.len() as u64;
    let query = request.query.len() as u64;
    let tokens = input(body).saturating_add(query.saturating_mul(documents));
    let pieces = documents.saturating_add(tokens / SEARCH_TOKENS);
    Ceiling {
        input_tokens: tokens,
        search_units: pieces.div_ceil(SEARCH_DOCUMENTS).max(1),
        ..Ceiling::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::{Unit, UnitPrice};

    #[test]
    fn a_unit_bounds_what_it_is_the_price_of() {
        let body = Bytes::from_static(br#"{"model":"m","prompt":"a cat","n":3}"#);
        let image = UnitPrice {
            unit: Unit::Image,
            each: 7,
        };
        let ceiling = carried(&GENERATIONS, &body, None);
        assert_eq!(ceiling.cost(None, Some(&image)), Some(21));
        assert_eq!(ceiling.cost(None, None), None);
        let second = UnitPrice {
            unit: Unit::AudioSecond,
            each: 2,
        };
        assert_eq!(
            form(&TRANSCRIPTIONS, 9_999).cost(None, Some(&second)),
            Some(20)
        );
        let character = UnitPrice {
            unit: Unit::Character,
            each: 3,
        };
        let ceiling = carried(&SPEECH, &Bytes::from_static(b"{}"), Some(5));
        assert_eq!(ceiling.cost(None, Some(&character)), Some(15));
    }
}
