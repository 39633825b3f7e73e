//! What a provider can do beside chat.

/// The endpoints that a provider has in the shape of its protocol. What is not here is refused with a clear 400
/// before anything is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modalities {
    /// Chat, in one of the protocols of [`crate::codecs`].
    pub chat: bool,
    /// Vectors of texts.
    pub embeddings: bool,
    /// Texts put in order of their relevance to a query.
    pub rerank: bool,
    /// Images made from texts, and from other images.
    pub images: bool,
    /// Speech made from text.
    pub speech: bool,
    /// Text made from speech; translations into English are one.
    pub transcription: bool,
    /// Texts judged by what is wrong with them.
    pub moderation: bool,
}

impl Modalities {
    /// Chat alone.
    pub const CHAT: Self = Self {
        chat: true,
        embeddings: false,
        rerank: false,
        images: false,
        speech: false,
        transcription: false,
        moderation: false,
    };

    /// Whatever a server may have that speaks OpenAI's protocol: it is asked, and says itself what it has not.
    pub const ANY: Self = Self {
        chat: true,
        embeddings: true,
        rerank: true,
        images: true,
        speech: true,
        transcription: true,
        moderation: true,
    };
}
