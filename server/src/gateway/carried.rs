//! Requests whose bodies travel as they are: images, audio, moderations, and whatever else a provider has.

use std::pin::pin;
use std::sync::Mutex;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use llm::carried::{MultipartHead, Operation, with_model};
use llm::ceiling;
use llm::chat::Losses;
use llm::codec::{ReplyForm, WireRequest};
use llm::error::{ApiError, ErrorKind, ErrorSource};
use llm::json::Object;
use llm::segments::Segments;

use super::asked::{Asked, MAX_REPLY_BODY};
use super::attempts::{Call, Outcome, Unanswered};
use super::passed::{Passed, passed_headers};
use crate::recording::trial::Trial;
use crate::routing::fails_over;
use crate::transport::Upload;

/// An answer that is not made of events.
#[derive(Debug)]
pub enum Answer {
    /// All there.
    Whole {
        status: http::StatusCode,
        headers: HeaderMap,
        body: Segments,
    },
    /// Passed on as it comes.
    Passed(Box<Passed>),
}

/// A request to one of the endpoints that are carried, with a body that is all here.
#[derive(Debug)]
pub struct CarriedRequest {
    pub operation: &'static Operation,
    pub model: Option<String>,
    pub stream: bool,
    /// JSON.
    pub body: Bytes,
    /// Of the text that is spoken, where that is what is charged: see [`llm::carried::Meter::new`].
    pub characters: Option<u64>,
}

impl CarriedRequest {
    /// The same with another body, of which nothing but texts is different.
    pub(super) fn with_body(&self, body: Bytes) -> Self {
        let read = llm::carried::JsonHead::read(self.operation, &body);
        Self {
            characters: read.map_or(self.characters, |head| head.characters),
            body,
            operation: self.operation,
            model: self.model.clone(),
            stream: self.stream,
        }
    }
}

/// The same with a form that is still coming.
#[derive(Debug)]
pub struct FormRequest {
    pub operation: &'static Operation,
    pub head: MultipartHead,
    pub content_type: HeaderValue,
    /// Of the form, bytes, where that was told.
    pub length: Option<u64>,
    /// What has come of the form, and all that is still to come, for a name of the model.
    pub form: Form,
}

/// How a form is sent once it is known what the upstream calls the model.
pub struct Form(Box<dyn FnOnce(&str) -> Upload + Send>);

impl Form {
    pub fn new(send: impl FnOnce(&str) -> Upload + Send + 'static) -> Self {
        Self(Box::new(send))
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Form").finish_non_exhaustive()
    }
}

/// Any request at all, to an endpoint of the provider's own.
#[derive(Debug)]
pub struct ForwardedRequest {
    pub method: Method,
    pub model: String,
    /// The answer is a text of the model's, in words that nobody here reads.
    pub may_say: bool,
    /// Behind the provider's base URL: `/files`.
    pub path: String,
    pub query: Option<String>,
    /// Those that are the upstream's business.
    pub headers: HeaderMap,
    pub body: ForwardedBody,
}

#[derive(Debug)]
pub enum ForwardedBody {
    /// Can be sent to one target after another; `Json` has the model's name replaced.
    Whole(Bytes),
    Json(Bytes),
    /// Is still coming, and is sent once.
    Upload(Upload),
}

pub(super) struct CarriedCall<'a> {
    pub request: &'a CarriedRequest,
}

impl Call for CarriedCall<'_> {
    type Answer = Answer;

    async fn ask(&self, trial: &mut Trial, asked: &Asked<'_>) -> Outcome<Answer> {
        let operation = self.request.operation;
        check_offer(operation, asked)?;
        let body =
            with_model(&self.request.body, &asked.candidate.model).map_err(Unanswered::Unfit)?;
        let wire = WireRequest {
            body,
            ..wire(
                operation,
                asked,
                HeaderValue::from_static("application/json"),
            )
        };
        let (stream, characters) = (self.request.stream, self.request.characters);
        let wire = asked.cover(trial, asked.shape(wire), stream, |body| {
            Some(ceiling::carried(operation, body, characters))
        })?;
        let sent = asked.send(trial, wire, asked.errors());
        let reply = asked.in_time(pin!(sent)).await?;
        let passed = Passed::new(reply, asked, operation, characters);
        named(trial, passed, self.request.model.as_deref()).await
    }
}

pub(super) struct FormCall {
    pub operation: &'static Operation,
    pub content_type: HeaderValue,
    /// Of the form, bytes, where that was told.
    pub length: Option<u64>,
    /// Taken by the one target that gets it.
    pub form: Mutex<Option<Form>>,
}

impl Call for FormCall {
    type Answer = Answer;

    fn is_unique(&self) -> bool {
        true
    }

    fn is_spent(&self) -> bool {
        is_spent(&self.form)
    }

    async fn ask(&self, trial: &mut Trial, asked: &Asked<'_>) -> Outcome<Answer> {
        check_offer(self.operation, asked)?;
        let wire = wire(self.operation, asked, self.content_type.clone());
        let bytes = self.length.unwrap_or(asked.policies.max_body_size as u64);
        let wire = asked.cover(trial, wire, false, |_| {
            Some(ceiling::form(self.operation, bytes))
        })?;
        let Form(send) = take(&self.form)?;
        let upload = send(&asked.candidate.model);
        let progress = upload.progress();
        trial.receiving(move || progress.bytes());
        let reply = asked.upload(trial, wire, upload).await?;
        if !reply.status.is_success() {
            let failure = asked.failure(reply, asked.errors()).await?;
            return Err(failure.error.into());
        }
        let passed = Passed::new(reply, asked, self.operation, None);
        Ok(Answer::Passed(Box::new(passed)))
    }
}

pub(super) struct ForwardCall {
    pub method: Method,
    pub path: String,
    pub query: Option<String>,
    pub headers: HeaderMap,
    pub body: Mutex<Option<ForwardedBody>>,
}

impl Call for ForwardCall {
    type Answer = Answer;

    /// What it does over there, nobody knows: not twice at the same time.
    fn is_unique(&self) -> bool {
        true
    }

    fn is_spent(&self) -> bool {
        is_spent(&self.body)
    }

    async fn ask(&self, trial: &mut Trial, asked: &Asked<'_>) -> Outcome<Answer> {
        let mut path = asked.upstream.kind.paths.path(&self.path, &asked.target());
        if let Some(query) = &self.query {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.push_str(query);
        }
        let mut wire = WireRequest {
            method: self.method.clone(),
            path,
            headers: self.headers.clone(),
            body: Segments::default(),
            losses: Losses::default(),
            form: ReplyForm::default(),
        };
        let body = || self.body.lock().unwrap_or_else(|e| e.into_inner());
        let is_here = match &*body() {
            Some(ForwardedBody::Whole(body)) => {
                wire.body = body.clone().into();
                true
            }
            Some(ForwardedBody::Json(body)) => {
                wire.body = renamed(body, &asked.candidate.model);
                true
            }
            Some(ForwardedBody::Upload(_)) => false,
            None => return Err(Unanswered::Unfit(spent())),
        };
        let wire = asked.cover_forwarded(trial, wire)?;
        let upload = match is_here {
            true => None,
            false => body().take(),
        };
        let reply = match upload {
            Some(ForwardedBody::Upload(upload)) => {
                let progress = upload.progress();
                trial.receiving(move || progress.bytes());
                asked.upload(trial, wire, upload).await?
            }
            _ => asked.exchange(trial, wire).await?,
        };
        if !reply.status.is_client_error() && !reply.status.is_server_error() {
            let any = &llm::carried::ANY;
            let passed = Passed::new(reply, asked, any, None);
            return Ok(Answer::Passed(Box::new(passed)));
        }
        let mut headers = passed_headers(&reply.headers);
        headers.remove(CONTENT_LENGTH);
        let mut failure = asked.failure(reply, asked.errors()).await?;
        if fails_over(&failure.error) {
            return Err(failure.error.into());
        }
        // What is wrong with the request is said in the upstream's own words.
        let secrets = asked.secrets();
        secrets.hide(&mut failure.error.message);
        trial.told(failure.error);
        let body = match String::from_utf8(failure.body.to_vec()) {
            Ok(mut text) => {
                secrets.hide(&mut text);
                Bytes::from(text)
            }
            Err(_) => failure.body,
        };
        Ok(Answer::Whole {
            status: failure.status,
            headers,
            body: body.into(),
        })
    }
}

fn check_offer(operation: &Operation, asked: &Asked<'_>) -> Outcome<()> {
    if (operation.offered)(&asked.upstream.kind.modalities) {
        Ok(())
    } else {
        Err(asked.lacks(operation.name))
    }
}

fn wire(operation: &Operation, asked: &Asked<'_>, content_type: HeaderValue) -> WireRequest {
    let paths = asked.upstream.kind.paths;
    WireRequest {
        method: Method::POST,
        path: paths.path(operation.path, &asked.target()),
        headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
        body: Segments::default(),
        losses: Losses::default(),
        form: ReplyForm::default(),
    }
}

/// A reply that tells the model's name, with the client's name instead. Only replies of moderations do.
async fn named(trial: &mut Trial, passed: Passed, model: Option<&str>) -> Outcome<Answer> {
    let (true, Some(model)) = (passed.tells_model(), model) else {
        return Ok(Answer::Passed(Box::new(passed)));
    };
    let (status, mut headers) = (passed.status, passed.headers);
    headers.remove(CONTENT_LENGTH);
    let mut meter = passed.meter;
    let body = passed.body.collect(MAX_REPLY_BODY).await?;
    meter.push(&body);
    trial.metered(&meter.finish(), passed.unit.as_ref());
    Ok(Answer::Whole {
        status,
        headers,
        body: renamed(&body, model),
    })
}

/// A JSON object with another name of the model, if it has one.
fn renamed(body: &Bytes, model: &str) -> Segments {
    match Object::scan(body.clone()) {
        Ok(mut object)
            if object
                .get("model")
                .is_some_and(|name| name.starts_with(b"\"")) =>
        {
            object.set("model", llm::json::quote(model));
            object.finish()
        }
        _ => body.clone().into(),
    }
}

/// Whether it went out already, and is not here to go out again.
fn is_spent<T>(slot: &Mutex<Option<T>>) -> bool {
    slot.lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
        .is_none()
}

fn take<T>(slot: &Mutex<Option<T>>) -> Outcome<T> {
    let mut slot = slot.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    slot.take().ok_or_else(|| Unanswered::Unfit(spent()))
}

/// No second target is asked when it is; should one be, it is told.
fn spent() -> ApiError {
    let message = "The request's body has been sent already and cannot be sent again.";
    ApiError::new(ErrorKind::Internal, ErrorSource::Gateway, message)
}
