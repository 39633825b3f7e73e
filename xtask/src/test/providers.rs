//! The gateways' providers and models, as a configuration file has them.

/// `upstream`, `aimock` and `llama` are ports of upstreams; nobody listens at `nobody`.
pub fn providers(upstream: u16, nobody: u16, aimock: u16, llama: u16) -> String {
    let impatient = "timeouts = { first_byte = \"700ms\", between_chunks = \"700ms\" }\n";
    [
        provider(
            "mock",
            "openai-compatible",
            upstream,
            "/v1",
            "model = \"chat\"\n",
        ),
        provider("mock-claude", "anthropic", upstream, "/v1", ""),
        provider("mock-gemini", "gemini", upstream, "/v1beta", ""),
        provider("mock-ollama", "ollama", upstream, "/api", ""),
        provider("mock-cohere", "cohere", upstream, "", ""),
        provider("impatient", "openai-compatible", upstream, "/v1", impatient),
        provider("gone", "openai-compatible", nobody, "/v1", ""),
        provider("chat", "openai-compatible", aimock, "/v1", ""),
        provider("openai", "openai", aimock, "/v1", ""),
        provider("claude", "anthropic", aimock, "/v1", ""),
        provider("gemini", "gemini", aimock, "/v1beta", ""),
        provider("ollama", "ollama", aimock, "/api", ""),
        provider("cohere", "cohere", aimock, "", ""),
        provider("llama", "llama-cpp", llama, "/v1", ""),
        "[[models]]\nname = \"house-model\"\n\
         targets = [{ provider = \"mock\", model = \"chat\" }]\n\n\
         [[models]]\nname = \"failover\"\nstrategy = \"priority\"\n\
         targets = [{ provider = \"gone\", model = \"chat\" }, \
         { provider = \"mock\", model = \"chat\" }]\n"
            .to_owned(),
    ]
    .concat()
}

fn provider(name: &str, kind: &str, port: u16, path: &str, more: &str) -> String {
    format!(
        "[[providers]]\nname = \"{name}\"\nkind = \"{kind}\"\n\
         base_url = \"http://127.0.0.1:{port}{path}\"\napi_key = \"sk-upstream\"\n{more}\n"
    )
}
