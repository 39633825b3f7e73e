//! What of `/v1/{model}/{tail}` the gateway answers itself: the endpoints that it has anyway. There every policy holds, and
//! the model is the one that the path names, whatever the body or the rest of the path says.

use std::sync::Arc;

use llm::carried::OPERATIONS;
use llm::dialect::ChatDialect;
use llm::rerank::Shape;
use percent_encoding::percent_decode_str;

use super::Route;
use super::endpoint::{ChatEndpoint, SaidByPath};
use super::model_path::AskedOfModel;

/// Endpoints by their tails, and of Gemini's by how they end.
#[derive(Clone, Debug)]
pub struct ServedTails(Arc<[(Tail, AskedOfModel)]>);

#[derive(Debug)]
enum Tail {
    Is(&'static str),
    EndsWith(&'static str),
}

/// What a provider's paths begin with, where its base URL does not.
const VERSIONS: [&str; 5] = ["v1", "v1beta", "v2", "openai", "api"];

/// What paths begin with that take something in and answer with no text of a model's: all else might, in a protocol of its
/// own.
const TAKES: [&str; 25] = [
    "blobs",
    "cancel",
    "classify",
    "copy",
    "create",
    "delete",
    "detokenize",
    "embed",
    "embeddings",
    "files",
    "fine-tuning",
    "fine_tuning",
    "images",
    "moderations",
    "ps",
    "pull",
    "push",
    "score",
    "show",
    "tags",
    "tokenize",
    "uploads",
    "vector_stores",
    "version",
    "videos",
];

/// What paths begin with below which there is text of models' to be had without asking for it anew.
const KEEPS: [&str; 9] = [
    "batches",
    "chat",
    "completions",
    "conversations",
    "interactions",
    "messages",
    "responses",
    "runs",
    "threads",
];

impl ServedTails {
    /// Those of these endpoints, whose paths begin with `/v1/`, and of all others.
    pub fn new(chat: &[(&'static str, &'static dyn ChatDialect)]) -> Self {
        const PREFIX: &str = "/v1/{model}/";
        let route = |dialect: &str, tail: &str| Route::new(dialect, &format!("{PREFIX}{tail}"));
        let behind = |path: &'static str| {
            let path = path.strip_prefix("/v1").unwrap_or(path);
            path.trim_start_matches('/')
        };
        let chat = chat.iter().map(|(path, dialect)| {
            let tail = behind(path);
            let endpoint = ChatEndpoint::new(*dialect, &format!("{PREFIX}{tail}"));
            let asked = AskedOfModel::Chat(endpoint, |_| SaidByPath::default());
            (Tail::Is(tail), asked)
        });
        let carried = OPERATIONS.iter().map(|operation| {
            let tail = behind(operation.path);
            let asked = AskedOfModel::Carried(route("openai", tail), operation);
            (Tail::Is(tail), asked)
        });
        let others = [
            (
                "embeddings",
                AskedOfModel::Embeddings(route("openai", "embeddings")),
            ),
            // Before the one that it ends with.
            (
                "v2/rerank",
                AskedOfModel::Rerank(route("rerank", "v2/rerank"), Shape::V2),
            ),
            (
                "rerank",
                AskedOfModel::Rerank(route("rerank", "rerank"), Shape::V1),
            ),
            (
                "messages/count_tokens",
                AskedOfModel::CountMessages(route("anthropic", "messages/count_tokens")),
            ),
        ];
        let others = others.map(|(tail, asked)| (Tail::Is(tail), asked));
        let gemini = AskedOfModel::of_gemini("/v1/{model}/models/{model}");
        let gemini = gemini.map(|(ending, asked)| (Tail::EndsWith(ending), asked));
        Self(chat.chain(carried).chain(others).chain(gemini).collect())
    }

    /// The endpoint that a tail means, however it is spelled.
    pub(super) fn at(&self, tail: &str) -> Option<&AskedOfModel> {
        let tail = plain(tail)?;
        let without_version = without_version(&tail);
        let found = self.0.iter().find(|(known, _)| match known {
            Tail::Is(known) => *known == tail || *known == without_version,
            Tail::EndsWith(ending) => tail.ends_with(ending),
        });
        found.map(|(_, asked)| asked)
    }
}

/// Whether a provider may answer there with text of a model's, in a protocol of its own that nobody here reads. `asks`:
/// with something that is sent, not just with the path.
pub(super) fn may_say(tail: &str, asks: bool) -> bool {
    let Some(tail) = plain(tail) else {
        return true;
    };
    let first = without_version(&tail).split('/').next().unwrap_or_default();
    if asks {
        // Gemini's methods stand behind a colon.
        !TAKES.contains(&first) || tail.contains(':')
    } else {
        KEEPS.contains(&first.to_ascii_lowercase().as_str())
    }
}

/// A path as servers understand it: decoded, and without empty parts. `None`: it is not UTF-8.
fn plain(tail: &str) -> Option<String> {
    let decoded = percent_decode_str(tail).decode_utf8().ok()?;
    let parts: Vec<&str> = decoded.split('/').filter(|part| !part.is_empty()).collect();
    Some(parts.join("/"))
}

fn without_version(tail: &str) -> &str {
    let mut rest = tail;
    while let Some((first, behind)) = rest.split_once('/')
        && VERSIONS.contains(&first)
    {
        rest = behind;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::CHAT;

    #[test]
    fn endpoints_are_known_however_they_are_spelled() {
        let tails = ServedTails::new(CHAT);
        for tail in [
            "chat/completions",
            "/chat//completions/",
            "chat/complet%69ons",
            "chat%2Fcompletions",
            "openai/v1/chat/completions",
            "completions",
            "responses",
            "v1/messages",
            "messages/count_tokens",
            "embeddings",
            "rerank",
            "v2/rerank",
            "audio/transcriptions",
            "images/generations",
            "moderations",
            "v1beta/models/other:generateContent",
            "models/other%3AstreamGenerateContent",
            "models/other:embedContent",
        ] {
            assert!(tails.at(tail).is_some(), "{tail}");
        }
        for tail in [
            "threads/1/messages",
            "files",
            "batches",
            "models/other",
            "chat",
            "fine_tuning/jobs",
            "responses/resp_1",
            "%ff",
        ] {
            assert!(tails.at(tail).is_none(), "{tail}");
        }
        let shape = |tail| match tails.at(tail) {
            Some(AskedOfModel::Rerank(_, shape)) => *shape,
            other => panic!("{tail}: {other:?}"),
        };
        assert_eq!(
            ["rerank", "v1/rerank", "v2/rerank"].map(shape),
            [Shape::V1, Shape::V1, Shape::V2]
        );
    }

    #[test]
    fn who_may_answer_with_text_in_words_of_their_own_is_known() {
        for tail in [
            "api/chat",
            "v2/chat/",
            "api/%67enerate",
            "model/x/invoke",
            "m:rawPredict",
            "beta/chat/completions",
            "v3/chat/completions",
            "openai/deployments/gpt/chat/completions",
            "Chat/Completions",
            "chat/completions%20",
            "chat/completions;x",
            "completion",
            "infill",
            "threads/t1/runs",
            "responses/compact",
            "messages/batches",
            "v1beta/interactions",
            "models/x:generateAnswer",
            "files:chat",
            "Files",
            "%ff",
        ] {
            assert!(may_say(tail, true), "{tail}");
        }
        for tail in [
            "api/show",
            "files",
            "v1/files",
            "fine_tuning/jobs",
            "tokenize",
        ] {
            assert!(!may_say(tail, true), "{tail}");
        }
        for (tail, says) in [
            ("responses/resp_1", true),
            ("v1/Threads/t1/messages", true),
            ("messages/batches/b/results", true),
            ("chat/completions/c/messages", true),
            ("api/tags", false),
            ("models", false),
            ("files/f/content", false),
            ("health", false),
            ("", false),
        ] {
            assert_eq!(may_say(tail, false), says, "{tail}");
        }
    }
}
