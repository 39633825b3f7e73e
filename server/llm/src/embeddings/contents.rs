//! Gemini's `embedContent` and `batchEmbedContents` as clients ask them: <https://ai.google.dev/api/embeddings>

use bytes::Bytes;

use super::{EmbeddingsRequest, Encoding, Input, Vector};
use crate::chat::Usage;
use crate::error::ApiError;
use crate::json::{Edit, Json, Node, ShapeError, Span, object, quote, splice};
use crate::segments::Segments;
use crate::text::Text;
use crate::wire::gemini::{PartData, camel, items, member, read_part};

/// What a client of this protocol sent: an upstream that speaks it too gets that.
#[derive(Clone, Debug)]
pub(super) struct Contents {
    pub body: Bytes,
    /// Several contents in `requests`.
    pub batch: bool,
    /// There is nothing but text in it.
    pub plain: bool,
}

impl EmbeddingsRequest {
    /// Reads a body of `embedContent`, or of `batchEmbedContents`. `model` is the name that the path says.
    ///
    /// # Errors
    /// What is wrong, naming the parameter.
    pub fn decode_contents(
        body: Bytes,
        model: Option<&str>,
        batch: bool,
    ) -> Result<Self, ApiError> {
        let root = Node::parse(&body).map_err(|error| {
            ApiError::invalid(format!("The body is not valid JSON: {error}."))
                .with_code("invalid_json")
        })?;
        root.object()?;
        let requests = match member(&root, "requests").filter(|_| batch) {
            Some(requests) => items(requests),
            None if batch => items(root.require("requests")?),
            None => std::slice::from_ref(&root),
        };
        let mut read = Reader::default();
        for request in requests {
            read.request(request)?;
        }
        if read.texts.is_empty() {
            let message = "The parameter 'requests' is empty: give at least one.";
            return Err(ApiError::invalid(message).with_param("requests"));
        }
        Ok(read.finish(&body, model, batch))
    }
}

#[derive(Default)]
struct Reader {
    texts: Vec<Text>,
    media: bool,
    /// What was said beside the contents, of the first of them.
    said: Vec<(Text, Json)>,
    /// What the others said otherwise, by name.
    torn: Vec<Text>,
}

impl Reader {
    fn request(&mut self, request: &Node<'_>) -> Result<(), ShapeError> {
        let mut text = String::new();
        let content = member(request.object()?, "content");
        let content = content.map_or_else(|| request.require("content"), Ok)?;
        let parts = member(content.object()?, "parts").map(items);
        for part in parts.unwrap_or_default() {
            match read_part(part)?.data {
                PartData::Text(more) => {
                    if !text.is_empty() {
                        text.push('\n');
                    }
                    text.push_str(&more);
                }
                PartData::Nothing => {}
                _ => self.media = true,
            }
        }
        let first = self.texts.is_empty();
        self.texts.push(Text::from(text));
        let mut said = Vec::new();
        for (key, value) in request.members() {
            let key = camel(key);
            if !matches!(&*key, "content" | "model") && !value.is_null() {
                said.push((Text::from(&*key), value.json()));
            }
        }
        if first {
            self.said = said;
        } else if said != self.said {
            let differs = |one: &&(Text, Json), all: &[(Text, Json)]| !all.contains(one);
            let before = self.said.iter().filter(|one| differs(one, &said));
            let after = said.iter().filter(|one| differs(one, &self.said));
            let names = before.chain(after).map(|(name, _)| name.clone());
            self.torn.extend(names);
        }
        Ok(())
    }

    fn finish(self, body: &Bytes, model: Option<&str>, batch: bool) -> EmbeddingsRequest {
        let (mut dimensions, mut purpose, mut others) = (None, None, Vec::new());
        for (name, value) in self.said {
            let same = !self.torn.contains(&name);
            match name.as_str() {
                "outputDimensionality" if same => dimensions = Some(value),
                "taskType" if same => match purpose_of(value.as_str()) {
                    Some(word) => purpose = Some(Text::from_static(word)),
                    None => others.push((name, value)),
                },
                _ => others.push((name, value)),
            }
        }
        for name in self.torn {
            if others.iter().all(|(other, _)| *other != name) {
                others.push((name, Json::of_valid(Text::from_static("null"))));
            }
        }
        // What an upstream of OpenAI's shape is sent.
        let written = object(|out| {
            out.array("input", |list| {
                for text in &self.texts {
                    list.string(text);
                }
            });
            if let Some(dimensions) = &dimensions {
                out.json("dimensions", dimensions);
            }
        });
        EmbeddingsRequest {
            body: written,
            model: model.map(str::to_owned),
            input: Input::Texts(self.texts),
            encoding: Encoding::Float,
            dimensions,
            user: None,
            purpose,
            others,
            contents: Some(Contents {
                body: body.clone(),
                batch,
                plain: !self.media,
            }),
        }
    }
}

/// <https://ai.google.dev/gemini-api/docs/embeddings#supported-task-types>
fn purpose_of(task: &str) -> Option<&'static str> {
    Some(match task.trim_matches('"') {
        "RETRIEVAL_DOCUMENT" => "search_document",
        "RETRIEVAL_QUERY" => "search_query",
        "CLASSIFICATION" => "classification",
        "CLUSTERING" => "clustering",
        _ => return None,
    })
}

impl Contents {
    /// The body for the upstream's model.
    ///
    /// # Errors
    /// None: it was read before.
    pub fn carried(&self, model: &str) -> Result<Segments, ApiError> {
        let root = Node::parse(&self.body).map_err(|error| ApiError::invalid(error.to_string()))?;
        let requests = match member(&root, "requests").filter(|_| self.batch) {
            Some(requests) => items(requests),
            None => std::slice::from_ref(&root),
        };
        let edits = requests
            .iter()
            .filter_map(|request| self.named(request, model));
        Ok(splice(&self.body, edits.collect()))
    }

    /// Each content of several has to say the model again.
    fn named(&self, request: &Node<'_>, model: &str) -> Option<Edit> {
        let start = request.span().start + 1;
        let insert = |at: Span, with: Vec<u8>| Edit {
            span: at,
            with: Bytes::from(with),
        };
        match request.get("model") {
            Some(said) => Some(insert(said.span(), quote(model).to_vec())),
            None if self.batch => {
                let member = [b"\"model\":", &quote(model)[..], b","].concat();
                Some(insert(start..start, member))
            }
            None => None,
        }
    }

    /// The reply's body.
    pub fn reply(&self, vectors: &[Vector], usage: Option<Usage>) -> Segments {
        let body = object(|body| {
            if self.batch {
                body.array("embeddings", |list| {
                    for vector in vectors {
                        list.object(|one| vector.write(Encoding::Float, one.member("values")));
                    }
                });
            } else if let Some(vector) = vectors.first() {
                body.object("embedding", |one| {
                    vector.write(Encoding::Float, one.member("values"));
                });
            }
            if let Some(usage) = usage {
                body.object("usageMetadata", |told| {
                    told.plain("promptTokenCount", usage.input_tokens);
                });
            }
        });
        Segments::from(body)
    }
}
