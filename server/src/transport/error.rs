//! How a call to an upstream can fail below its protocol.

use std::time::Duration;

use llm::error::{ApiError, ErrorKind, ErrorSource};

/// A failure of the connection or of time, not of the protocol spoken over it.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("could not resolve the upstream's host name: {0}")]
    Resolve(std::io::Error),
    #[error("could not connect to the upstream: {0}")]
    Connect(std::io::Error),
    #[error("the TLS handshake with the upstream failed: {0}")]
    Tls(std::io::Error),
    #[error("no connection to the upstream within {0:?}")]
    ConnectTimeout(Duration),
    #[error("the upstream did not begin to answer within {0:?}")]
    FirstByteTimeout(Duration),
    #[error("the upstream sent nothing for {0:?} in the middle of its reply")]
    ChunkTimeout(Duration),
    #[error("the request took longer than its time limit of {0:?}")]
    TotalTimeout(Duration),
    /// The pooled connection was already closed: nothing of this request was answered.
    #[error("the upstream had closed the connection")]
    StaleConnection,
    #[error("the upstream closed the connection before it answered")]
    NoReply,
    #[error("the upstream broke its reply off: {0}")]
    Cut(String),
    #[error("the upstream does not speak HTTP/1.1 as it should: {0}")]
    Protocol(String),
    #[error("the upstream's reply is over the limit of {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the request cannot be written: {0}")]
    BadRequest(String),
}

impl TransportError {
    /// A fresh connection that closes without a reply is the upstream's failure, not bad luck.
    pub(super) fn on_fresh_connection(self) -> Self {
        match self {
            Self::StaleConnection => Self::NoReply,
            other => other,
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Resolve(_) | Self::Connect(_) | Self::Tls(_) => ErrorKind::Unreachable,
            Self::ConnectTimeout(_)
            | Self::FirstByteTimeout(_)
            | Self::ChunkTimeout(_)
            | Self::TotalTimeout(_) => ErrorKind::Timeout,
            Self::StaleConnection
            | Self::NoReply
            | Self::Cut(_)
            | Self::Protocol(_)
            | Self::TooLarge { .. } => ErrorKind::BadReply,
            Self::BadRequest(_) => ErrorKind::Internal,
        }
    }
}

impl From<TransportError> for ApiError {
    fn from(error: TransportError) -> Self {
        let origin = match error {
            TransportError::BadRequest(_) => ErrorSource::Gateway,
            _ => ErrorSource::Provider,
        };
        Self::new(error.kind(), origin, error.to_string())
    }
}
