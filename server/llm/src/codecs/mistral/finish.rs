//! Finish reasons that OpenAI does not have: `model_length` and `error`.

use crate::chat::{ChatResponse, FinishReason, StreamEvent};
use crate::codec::StreamDecoder;
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::framing::Frame;

/// A stream that is read as OpenAI's, with Mistral's own endings.
#[derive(Debug)]
pub(super) struct Decoder {
    reader: Box<dyn StreamDecoder>,
}

impl Decoder {
    pub(super) fn new(reader: Box<dyn StreamDecoder>) -> Self {
        Self { reader }
    }
}

impl StreamDecoder for Decoder {
    fn decode(&mut self, frame: &mut Frame, out: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        let from = out.len();
        let result = self.reader.decode(frame, out);
        settle_events(from, out)?;
        result
    }

    fn finish(&mut self, out: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        let from = out.len();
        let result = self.reader.finish(out);
        settle_events(from, out)?;
        result
    }
}

/// The events before an error stand.
fn settle_events(from: usize, out: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
    for at in from..out.len() {
        if let StreamEvent::Finished { reason, .. } = &mut out[at]
            && let Err(error) = settle(reason)
        {
            out.truncate(at);
            return Err(error);
        }
    }
    Ok(())
}

/// # Errors
/// The model failed.
pub(super) fn settle_choices(response: &mut ChatResponse) -> Result<(), ApiError> {
    let reasons = response.choices.iter_mut();
    let mut reasons = reasons.filter_map(|choice| choice.finish.as_mut());
    reasons.try_for_each(settle)
}

fn settle(reason: &mut FinishReason) -> Result<(), ApiError> {
    let FinishReason::Other(word) = reason else {
        return Ok(());
    };
    match word.as_str() {
        // The context is full, where `length` is the request's own limit.
        "model_length" => *reason = FinishReason::Length,
        "error" => {
            return Err(ApiError::new(
                ErrorKind::UpstreamFailed,
                ErrorSource::Provider,
                "The upstream's model failed while it answered.",
            ));
        }
        _ => {}
    }
    Ok(())
}
