"""What the tests ask upstreams of other protocols; `e2e/aimock.json` has the answers."""

import pytest

# Providers before aimock, each of another protocol.
PROVIDERS = ["chat", "openai", "claude", "gemini", "ollama", "cohere"]
# Replies of these say how many tokens they took; aimock's Ollama says nothing.
COUNTING = {"chat", "openai", "claude", "gemini", "cohere"}

every_provider = pytest.mark.parametrize("provider", PROVIDERS)
whole_and_streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])

HELLO = "hello"
GREETING = "Hello there, this is a rather longer greeting."
QUESTION = "How is the weather in Paris and in Tokyo?"
CITIES = [{"city": "Paris"}, {"city": "東京"}]
RESULTS = ["21 degrees", "17 degrees"]
ANSWER = "It is 21 degrees in Paris and 17 in 東京."
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}


def model_of(provider):
    return f"{provider}/some-model"
