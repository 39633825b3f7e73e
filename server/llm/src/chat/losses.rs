//! What a pair of protocols could not carry.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Media;

/// What of a request an upstream's protocol cannot say, by the names of the client's parameters.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default)]
pub struct Losses {
    /// Left out: `logprobs`, `messages.name`.
    pub dropped: Vec<Cow<'static, str>>,
    /// Reached by other means: `response_format` by a tool.
    pub emulated: Vec<Cow<'static, str>>,
}

impl Losses {
    /// Notes once that `what` was left out.
    pub fn drop(&mut self, what: impl Into<Cow<'static, str>>) {
        note(&mut self.dropped, what.into());
    }

    /// Notes once that `what` was reached by other means.
    pub fn emulate(&mut self, what: impl Into<Cow<'static, str>>) {
        note(&mut self.emulated, what.into());
    }

    /// Notes of an image, a file or a recording that is told without them, its name and its detail.
    pub(crate) fn drop_labels(&mut self, media: &Media) {
        if media.name.is_some() {
            self.drop(media.kind.name_parameter());
        }
        self.drop_detail(media);
    }

    /// Notes the detail of an image that is told without.
    pub(crate) fn drop_detail(&mut self, media: &Media) {
        // `auto` is what happens anyway.
        if media
            .detail
            .as_ref()
            .is_some_and(|detail| *detail != "auto")
        {
            self.drop("image.detail");
        }
    }

    pub fn is_empty(&self) -> bool {
        self.dropped.is_empty() && self.emulated.is_empty()
    }
}

fn note(list: &mut Vec<Cow<'static, str>>, what: Cow<'static, str>) {
    /// Names come from clients, too: a header takes only so many.
    const MOST: usize = 64;
    if list.len() < MOST && !list.contains(&what) {
        list.push(what);
    }
}
