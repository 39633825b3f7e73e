//! What a client asks for.

use bytes::Bytes;

use crate::error::ApiError;
use crate::json::canonical::{self, Digest};
use crate::json::{Json, JsonError, Node, ShapeError};
use crate::text::Text;

/// A request to rank documents.
#[derive(Clone, Debug)]
pub struct RerankRequest {
    /// As it came.
    pub body: Bytes,
    pub shape: Shape,
    /// The client's name of the model.
    pub model: Option<String>,
    pub query: Text,
    pub documents: Vec<Document>,
    /// How many results at most.
    pub top_n: Option<u64>,
    /// Whether results hold their documents; `None`: as the upstream likes.
    pub return_documents: Option<bool>,
    /// The most tokens of a document that are read (Cohere 2).
    pub max_tokens_per_doc: Option<Json>,
    /// Other parameters, by name.
    pub others: Vec<Text>,
}

/// Which path the client asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `/v1/rerank`: Cohere's first version and Jina's.
    V1,
    /// `/v2/rerank`: Cohere's second version. Documents are strings, and not repeated in the reply.
    V2,
}

/// What is ranked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// As it was written.
    pub json: Json,
    /// The string that it is, or its `text`.
    pub text: Option<Text>,
}

impl RerankRequest {
    /// Reads a body. `model` is the name that the path says, and comes before the one in the body.
    ///
    /// # Errors
    /// What is wrong, naming the parameter.
    pub fn decode(body: Bytes, shape: Shape, model: Option<&str>) -> Result<Self, ApiError> {
        let mut request = read(&body, shape)?;
        request.model = model.map(str::to_owned).or(request.model);
        request.body = body;
        if request.documents.is_empty() {
            let message = "The parameter 'documents' is empty: there is nothing to rank.";
            return Err(ApiError::invalid(message).with_param("documents"));
        }
        Ok(request)
    }

    /// The same request with another body.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn with_body(&self, body: Bytes) -> Result<Self, ApiError> {
        Self::decode(body, self.shape, self.model.as_deref())
    }

    /// Appends what decides the answer, apart from where the request goes. Of long texts their `digest` is appended.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn write_identity(&self, out: &mut Vec<u8>, digest: Digest) -> Result<(), ApiError> {
        out.push(match self.shape {
            Shape::V1 => b'1',
            Shape::V2 => b'2',
        });
        canonical::write_without(&["model"], &self.body, out, digest)
            .map_err(|error| not_json(&error))
    }

    /// The documents as texts.
    ///
    /// # Errors
    /// One is neither a string nor has a `text`.
    pub(super) fn texts(&self) -> Result<Vec<&Text>, ApiError> {
        let no_text = |at: usize| {
            let message = format!(
                "This model ranks texts: 'documents[{at}]' must be a string or have a 'text'."
            );
            ApiError::invalid(message)
                .with_code("unsupported_value")
                .with_param(format!("documents[{at}]"))
        };
        let documents = self.documents.iter().enumerate();
        documents
            .map(|(at, document)| document.text.as_ref().ok_or_else(|| no_text(at)))
            .collect()
    }
}

fn read(body: &Bytes, shape: Shape) -> Result<RerankRequest, ApiError> {
    let root = Node::parse(body).map_err(|error| not_json(&error))?;
    root.object()?;
    let document = |node: &Node<'_>| {
        let text = match node.get("text") {
            Some(text) => Some(text.text()?),
            None => node.text().ok(),
        };
        Ok(Document {
            json: node.json(),
            text,
        })
    };
    let documents = root.require("documents")?.array()?;
    let documents: Result<Vec<_>, ShapeError> = documents.iter().map(document).collect();
    let mut others = Vec::new();
    for (name, value) in root.members() {
        let known = matches!(
            &*name,
            "model" | "query" | "documents" | "top_n" | "return_documents" | "max_tokens_per_doc"
        );
        if !known && !value.is_null() {
            others.push(Text::from(&*name));
        }
    }
    let model = root.get("model").map(Node::text).transpose()?;
    Ok(RerankRequest {
        body: Bytes::new(),
        shape,
        model: model.map(|name| name.to_string()),
        query: root.require("query")?.text()?,
        documents: documents?,
        top_n: root.get("top_n").map(Node::u64).transpose()?,
        return_documents: root.get("return_documents").map(Node::bool).transpose()?,
        max_tokens_per_doc: root
            .get("max_tokens_per_doc")
            .map(Node::number)
            .transpose()?,
        others,
    })
}

fn not_json(error: &JsonError) -> ApiError {
    ApiError::invalid(format!("The body is not valid JSON: {error}.")).with_code("invalid_json")
}
