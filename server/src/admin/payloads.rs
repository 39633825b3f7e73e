//! What was asked and answered, told.

use async_trait::async_trait;
use chrono::DateTime;
use shared::AdminError;
use shared::payloads::{LoggedPayload, PayloadApi, PayloadContent, PayloadStatus};
use uuid::Uuid;

use super::Admin;

#[async_trait]
impl PayloadApi for Admin {
    async fn payload(&self, id: &str) -> Result<LoggedPayload, AdminError> {
        let missing = || AdminError::NotFound {
            message: "Nothing is logged of the contents of this request.".to_owned(),
        };
        let id = Uuid::try_parse(id).map_err(|_| missing())?;
        let found = self.gateway.payloads().find(id).await;
        let found = found.map_err(|error| AdminError::Unavailable {
            message: error.to_string(),
        })?;
        let found = found.ok_or_else(missing)?;
        Ok(LoggedPayload {
            id: id.hyphenated().to_string(),
            at: DateTime::from_timestamp_micros(found.at_us).unwrap_or_default(),
            request: content(found.request_bytes, found.request_cut, Some(found.request)),
            reply: content(found.reply_bytes, found.reply_cut, found.reply),
            streamed: found.streamed,
        })
    }

    async fn payload_status(&self) -> Result<PayloadStatus, AdminError> {
        Ok(self.gateway.payloads().status().await)
    }
}

fn content(bytes: u64, cut: bool, text: Option<String>) -> PayloadContent {
    let text = text.filter(|text| !text.is_empty());
    let json = text
        .as_ref()
        .and_then(|text| serde_json::from_str(text).ok());
    PayloadContent {
        bytes,
        cut,
        text: text.filter(|_| json.is_none()),
        json,
    }
}
