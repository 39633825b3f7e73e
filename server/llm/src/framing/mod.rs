//! A body's bytes cut into frames, whatever the borders of the chunks they come in.

mod frame;
mod sse;

pub use frame::{Frame, Marks};
pub use sse::{DEFAULT_MAX_FRAME, FrameTooLarge, SseFramer};
