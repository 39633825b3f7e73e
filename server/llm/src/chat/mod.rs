//! The canonical chat model.

mod collect;
mod event;
mod finish;
mod request;
mod response;
mod usage;

pub use collect::{Collector, collect};
pub use event::{Block, StreamEvent, ToolKind};
pub use finish::FinishReason;
pub(crate) use request::Layout;
pub use request::{ChatRequest, Protocol};
pub use response::{ChatResponse, Choice, Content, RawReply};
pub use usage::Usage;
