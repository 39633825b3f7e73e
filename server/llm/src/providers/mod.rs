//! Who can be asked: one file a provider, data and nothing else.

mod anthropic;
mod anthropic_compatible;
mod auth;
mod azure;
mod cerebras;
mod cohere;
mod deepseek;
mod fireworks;
mod gemini;
mod groq;
mod huggingface;
mod llama_cpp;
mod lm_studio;
mod mistral;
mod modalities;
mod nvidia;
mod ollama;
mod openai;
mod openai_compatible;
mod openrouter;
mod perplexity;
mod probe;
mod sambanova;
mod simulated;
mod tei;
mod together;
mod vertex;
mod vllm;
mod xai;

pub use auth::Auth;
pub use modalities::Modalities;
pub use probe::Probe;

use crate::carried::{Operation, Paths};
use crate::chat::Protocol;
use crate::codec::ChatCodec;
use crate::codecs::openai_chat::OpenAiChat;
use crate::embeddings::{EmbeddingsCodec, OpenAiEmbeddings};
use crate::rerank::{JinaRerank, RerankCodec};

/// A kind of upstream.
#[derive(Debug)]
pub struct Provider {
    /// What `kind` in the configuration says.
    pub id: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// Where it is, unless the operator has to say.
    pub base_url: Option<&'static str>,
    pub auth: Auth,
    /// The environment variables that its own SDK takes the key from; the first that is set counts.
    pub key_variables: &'static [&'static str],
    /// Whether it serves nobody without a key. What people run themselves has one only if they chose one.
    pub key_needed: bool,
    /// The chat protocols that it speaks, one at least. A client that speaks one of them is carried in it;
    /// for all others the first is spoken.
    pub codecs: &'static [&'static dyn ChatCodec],
    /// What can be asked of it.
    pub modalities: Modalities,
    /// How it is asked for vectors, where it can be.
    pub embeddings_codec: &'static dyn EmbeddingsCodec,
    /// How it is asked to rank texts, where it can be.
    pub rerank_codec: &'static dyn RerankCodec,
    /// Where it has the endpoints that are carried.
    pub paths: Paths,
    /// How it is asked whether it is there; `None`: nothing that it offers is known to be free.
    pub probe: Option<Probe>,
    /// Answers come from the gateway itself, no network is used: see [`crate::simulated`].
    pub simulated: bool,
    pub docs_url: &'static str,
}

impl Provider {
    /// What most providers that speak OpenAI's protocol have in common; the rest is each one's own.
    pub(crate) const COMPATIBLE: Self = Self {
        id: "",
        title: "",
        base_url: None,
        auth: Auth::Bearer,
        key_variables: &[],
        key_needed: true,
        codecs: &[&OpenAiChat::COMPATIBLE],
        modalities: Modalities::CHAT,
        embeddings_codec: &OpenAiEmbeddings::PLAIN,
        rerank_codec: &JinaRerank,
        paths: Paths::Plain,
        probe: Some(Probe::MODELS),
        simulated: false,
        docs_url: "https://platform.openai.com/docs/api-reference/chat",
    };

    /// What to speak for a client of this protocol: the same where the provider can, so that bytes are carried.
    pub fn codec_for(&self, client: Protocol) -> &'static dyn ChatCodec {
        let same = |codec: &&&dyn ChatCodec| codec.protocol() == client;
        *self.codecs.iter().find(same).unwrap_or(&self.codecs[0])
    }

    /// What speaks this protocol with it, whether or not it is known to: the operator's servers may speak more.
    pub fn codec_of(&self, protocol: Protocol) -> Option<&'static dyn ChatCodec> {
        let spoken = self.codec_for(protocol);
        if spoken.protocol() == protocol {
            Some(spoken)
        } else {
            crate::codecs::find(protocol)
        }
    }

    /// `None`: it makes no vectors.
    pub fn embeddings(&self) -> Option<&'static dyn EmbeddingsCodec> {
        self.modalities.embeddings.then_some(self.embeddings_codec)
    }

    /// `None`: it ranks no texts.
    pub fn rerank(&self) -> Option<&'static dyn RerankCodec> {
        self.modalities.rerank.then_some(self.rerank_codec)
    }

    /// Whether it has an endpoint that is carried.
    pub fn offers(&self, operation: &Operation) -> bool {
        (operation.offered)(&self.modalities)
    }
}

/// All of them, by id.
static ALL: &[&Provider] = &[
    &anthropic::PROVIDER,
    &anthropic_compatible::PROVIDER,
    &azure::PROVIDER,
    &cerebras::PROVIDER,
    &cohere::PROVIDER,
    &deepseek::PROVIDER,
    &fireworks::PROVIDER,
    &gemini::PROVIDER,
    &groq::PROVIDER,
    &huggingface::PROVIDER,
    &llama_cpp::PROVIDER,
    &lm_studio::PROVIDER,
    &mistral::PROVIDER,
    &nvidia::PROVIDER,
    &ollama::PROVIDER,
    &openai::PROVIDER,
    &openai_compatible::PROVIDER,
    &openrouter::PROVIDER,
    &perplexity::PROVIDER,
    &sambanova::PROVIDER,
    &simulated::PROVIDER,
    &tei::PROVIDER,
    &together::PROVIDER,
    &vertex::PROVIDER,
    &vllm::PROVIDER,
    &xai::PROVIDER,
];

/// Every provider, sorted by id.
pub fn all() -> &'static [&'static Provider] {
    ALL
}

/// The provider of this id.
pub fn find(id: &str) -> Option<&'static Provider> {
    ALL.iter().copied().find(|provider| provider.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_and_unique() {
        assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
    }

    #[test]
    fn a_client_is_spoken_for_in_its_own_protocol_or_else_in_the_first() {
        for provider in all() {
            for client in Protocol::ALL {
                let spoken = provider.codec_for(client).protocol();
                let own = provider.codecs.iter().any(|one| one.protocol() == client);
                let first = provider.codecs[0].protocol();
                assert_eq!(spoken, if own { client } else { first }, "{}", provider.id);
            }
        }
    }

    #[test]
    fn a_provider_is_found_by_its_id() {
        for provider in all() {
            assert_eq!(
                find(provider.id).map(|found| found.title),
                Some(provider.title)
            );
        }
        assert!(find("nobody").is_none());
    }
}
