//! What a row of the route table says of itself.

use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Writes a type's schema, and puts those that it refers to into the generator.
pub(in crate::admin) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// An endpoint as the OpenAPI document describes it: <https://spec.openapis.org/oas/v3.1.1.html#operation-object>
///
/// What follows from its path and from the guard before it (401, 403, 404, 421, 429, 503) is not said here.
#[derive(Clone, Debug, Default)]
pub(in crate::admin) struct Operation {
    pub summary: String,
    pub description: Option<&'static str>,
    /// An object whose properties are parameters of the query.
    pub query: Option<SchemaOf>,
    pub body: Option<Body>,
    pub replies: Vec<Reply>,
    /// Statuses of problems beside the usual ones.
    pub refusals: Vec<u16>,
    pub edit: Edit,
}

/// What is sent.
#[derive(Clone, Debug)]
pub(in crate::admin) struct Body {
    pub media_type: &'static str,
    pub schema: SchemaOf,
}

/// What comes back when all is well.
#[derive(Clone, Debug)]
pub(in crate::admin) struct Reply {
    pub status: u16,
    /// `None`: there is no body.
    pub content: Option<Content>,
    /// With a `Link` to the next page.
    pub paged: bool,
    /// With an `ETag`.
    pub tagged: bool,
}

#[derive(Clone, Debug)]
pub(in crate::admin) struct Content {
    pub media_type: &'static str,
    pub schema: SchemaOf,
}

/// What comes with a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::admin) enum Edit {
    /// It changes nothing that has versions.
    #[default]
    None,
    /// A reason.
    Reasoned,
    /// A reason, and `If-Match` and `If-None-Match`.
    Conditional,
}

/// The description of an endpoint: what it does, in a sentence without a full stop.
pub(in crate::admin) fn does(summary: impl Into<String>) -> Operation {
    Operation {
        summary: summary.into(),
        ..Operation::default()
    }
}

pub(in crate::admin) fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Operation {
    /// What a sentence cannot say.
    pub fn notes(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// The query's parameters are this type's fields.
    pub fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(schema_of::<T>);
        self
    }

    /// It takes JSON.
    pub fn body<T: JsonSchema>(self) -> Self {
        self.body_of(schema_of::<T>)
    }

    /// It takes JSON of this schema.
    pub fn body_of(self, schema: SchemaOf) -> Self {
        self.takes("application/json", schema)
    }

    /// It takes an HTML form.
    pub fn form<T: JsonSchema>(self) -> Self {
        self.takes("application/x-www-form-urlencoded", schema_of::<T>)
    }

    fn takes(mut self, media_type: &'static str, schema: SchemaOf) -> Self {
        self.body = Some(Body { media_type, schema });
        self
    }

    /// 200 with JSON.
    pub fn replies<T: JsonSchema>(self) -> Self {
        self.replies_with::<T>(200)
    }

    /// JSON with this status.
    pub fn replies_with<T: JsonSchema>(self, status: u16) -> Self {
        let content = Content {
            media_type: "application/json",
            schema: schema_of::<T>,
        };
        self.reply(status, Some(content))
    }

    /// Text or bytes of this type with this status.
    pub fn replies_as(self, status: u16, media_type: &'static str) -> Self {
        let content = Content {
            media_type,
            schema: schema_of::<String>,
        };
        self.reply(status, Some(content))
    }

    /// This status, and no body.
    pub fn replies_empty(self, status: u16) -> Self {
        self.reply(status, None)
    }

    fn reply(mut self, status: u16, content: Option<Content>) -> Self {
        self.replies.push(Reply {
            status,
            content,
            paged: false,
            tagged: false,
        });
        self
    }

    /// The last reply comes in pages, with a `Link` to the next one.
    pub fn paged(mut self) -> Self {
        if let Some(last) = self.replies.last_mut() {
            last.paged = true;
        }
        self
    }

    /// Problems with this status can happen, beside the usual ones.
    pub fn refuses(mut self, status: u16) -> Self {
        self.refusals.push(status);
        self
    }

    /// The last reply has an `ETag`.
    pub fn tagged(mut self) -> Self {
        if let Some(last) = self.replies.last_mut() {
            last.tagged = true;
        }
        self
    }

    /// It changes something, and is told why.
    pub fn reasoned(mut self) -> Self {
        self.edit = Edit::Reasoned;
        self
    }

    /// It changes something that has versions: a condition may come with it, and a reason.
    pub fn conditional(mut self) -> Self {
        self.edit = Edit::Conditional;
        self
    }
}
