"""What the tests share. `cargo xtask test` starts the processes and sets the variables."""

import base64
import json
import os
import sqlite3
import time
import urllib.request
import uuid
from dataclasses import dataclass
from functools import cached_property

import httpx2
import pytest
from anthropic import Anthropic
from google import genai
from openai import AsyncOpenAI, OpenAI

MOCK = os.environ["E2E_MOCK_URL"]
# In front of the mock upstream, open to all.
OPEN = os.environ["E2E_OPEN_URL"]
# The same with client keys and a small body limit.
KEYED = os.environ["E2E_KEYED_URL"]
KEY = os.environ["E2E_KEY"]
# Started without any configuration: the simulated provider.
BARE = os.environ["E2E_BARE_URL"]
# The same as the open one behind client keys: what else holds there is up to each test.
POLICED = os.environ["E2E_POLICED_URL"]
POLICED_ADMIN = os.environ["E2E_POLICED_ADMIN_URL"]
POLICED_TOKEN = os.environ["E2E_POLICED_TOKEN"]
DATABASE = os.environ["E2E_OPEN_DATABASE"]


@dataclass
class Arrived:
    """A request as the mock upstream got it."""

    headers: dict
    body: bytes
    finished: bool
    hung_up: bool

    @property
    def json(self):
        return json.loads(self.body)


class Tag(str):
    """Names one test's requests; sent as `user`."""

    @property
    def arrived(self):
        entries = json.loads(fetch(f"{MOCK}/journal/{self}"))
        return [
            Arrived(
                {name.lower(): value for name, value in entry["headers"]},
                base64.b64decode(entry["body"]),
                entry["finished"],
                entry["hung_up"],
            )
            for entry in entries
        ]

    @property
    def only(self):
        (one,) = self.arrived
        return one

    def go(self):
        fetch(f"{MOCK}/go/{self}", b"")


def fetch(url, data=None):
    with urllib.request.urlopen(url, data, timeout=10) as reply:
        return reply.read()


def eventually(probe, seconds=10):
    """Waits until `probe` gives something true, and gives it back."""
    deadline = time.monotonic() + seconds
    while not (found := probe()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
    return found


def rows(where="1=1", *arguments):
    """Rows of the open gateway's database, as anyone with the file can read them."""
    with sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True, timeout=10) as database:
        database.row_factory = sqlite3.Row
        query = f"SELECT * FROM usage_requests WHERE {where} ORDER BY started_at"
        return [dict(row) for row in database.execute(query, arguments)]


@pytest.fixture
def tag():
    return Tag(uuid.uuid4().hex)


@pytest.fixture
def client():
    with OpenAI(base_url=f"{OPEN}/v1", api_key="sk-anything", max_retries=0, timeout=30) as it:
        yield it


@pytest.fixture
def keyed():
    with OpenAI(base_url=f"{KEYED}/v1", api_key=KEY, max_retries=0, timeout=30) as it:
        yield it


@pytest.fixture
def bare():
    with OpenAI(base_url=f"{BARE}/v1", api_key="sk-anything", max_retries=0, timeout=30) as it:
        yield it


@pytest.fixture
def asynchronous():
    return AsyncOpenAI(base_url=f"{OPEN}/v1", api_key="sk-anything", max_retries=0, timeout=30)


def administer(method, path, body=None, **more):
    """Asks the admin API of the policed gateway."""
    headers = {"authorization": f"Bearer {POLICED_TOKEN}", **more.pop("headers", {})}
    url = f"{POLICED_ADMIN}{path}"
    return httpx2.request(method, url, json=body, headers=headers, timeout=20, **more)


class Team:
    """A client key of one test's own, and policies for its requests alone."""

    def __init__(self, **settings):
        self.name = f"team-{uuid.uuid4().hex}"
        reply = administer("POST", "/api/v1/keys", {"name": self.name, **settings})
        assert reply.status_code == 201, reply.text
        self.secret = reply.json()["secret"]

    def put(self, kind, **policy):
        """Puts a policy in force that is about this key."""
        path = f"/api/v1/{kind}/{self.name}-{uuid.uuid4().hex[:8]}"
        policy = {"applies_to": {"keys": [self.name]}, **policy}
        reply = administer("PUT", path, policy)
        assert reply.status_code in (200, 201), reply.text
        return path

    # A client that nobody keeps closes itself.
    @cached_property
    def openai(self):
        return OpenAI(base_url=f"{POLICED}/v1", api_key=self.secret, max_retries=0, timeout=30)

    @cached_property
    def anthropic(self):
        return Anthropic(base_url=POLICED, api_key=self.secret, max_retries=0, timeout=30)

    @cached_property
    def gemini(self):
        options = genai.types.HttpOptions(base_url=POLICED, timeout=30_000)
        return genai.Client(api_key=self.secret, http_options=options)


@pytest.fixture
def team():
    return Team()


@pytest.fixture
def anthropic():
    with Anthropic(base_url=OPEN, api_key="sk-anything", max_retries=0, timeout=30) as it:
        yield it


@pytest.fixture
def gemini():
    options = genai.types.HttpOptions(base_url=OPEN, timeout=30_000)
    with genai.Client(api_key="sk-anything", http_options=options) as it:
        yield it
