//! Speech and its transcription: <https://platform.openai.com/docs/api-reference/audio>

use crate::carried::{Bodies, Consumption, Operation, milliseconds, tokens};
use crate::json::Node;

/// Speech made from a text.
pub static SPEECH: Operation = Operation {
    name: "audio.speech",
    path: "/audio/speech",
    bodies: Bodies::Json,
    offered: |modalities| modalities.speech,
    consumed,
    counts_input: true,
};

/// Text made from speech, in its own language.
pub static TRANSCRIPTIONS: Operation = Operation {
    name: "audio.transcriptions",
    path: "/audio/transcriptions",
    bodies: Bodies::Multipart,
    offered: |modalities| modalities.transcription,
    consumed,
    counts_input: false,
};

/// Text made from speech, in English.
pub static TRANSLATIONS: Operation = Operation {
    name: "audio.translations",
    path: "/audio/translations",
    ..TRANSCRIPTIONS
};

/// Usage is in tokens or in seconds, by the model; a verbose transcription tells its `duration` as well.
fn consumed(root: &Node<'_>, so_far: &mut Consumption) {
    if let Some(usage) = tokens(root) {
        so_far.usage = Some(usage);
    }
    let seconds = root.get("usage").and_then(|usage| usage.get("seconds"));
    if let Some(seconds) = seconds.or_else(|| root.get("duration")) {
        so_far.audio_ms = milliseconds(seconds).or(so_far.audio_ms);
    }
}
