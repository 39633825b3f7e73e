"""Exports as analysts' own tools read them, beside the figures of the admin API."""

import csv
import io
import json
import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import duckdb_extension_sqlite_scanner
import pytest
import sqlite_utils
from openai import OpenAIError

from conftest import Team, administer, eventually

# From a package: DuckDB itself would fetch it.
SCANNER = next(
    Path(duckdb_extension_sqlite_scanner.__file__).parent.glob("extensions/*/*.duckdb_extension")
)
FIGURES = ("requests", "errors", "input_tokens", "cached_tokens", "output_tokens", "cost_nanos")


@pytest.fixture(scope="module")
def recorded():
    """A team's requests, two of which fail, and what the admin API says of them."""
    team = Team()
    for model in ("mock/chat", "house-model", "mock/status-500", "nobody/=1+1"):
        messages = [{"role": "user", "content": "Say hello"}]
        try:
            team.openai.chat.completions.create(model=model, messages=messages)
        except OpenAIError:
            pass

    def usage():
        query = {"key": team.name, "group_by": "model,status"}
        reply = administer("GET", "/api/v1/usage", params=query).json()
        return reply["total"]["requests"] == 4 and reply

    return team.name, eventually(usage)


@pytest.fixture(scope="module")
def database(recorded, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "usage.db"
    path.write_bytes(export("sqlite").content)
    return path


def export(kind, **query):
    reply = administer("GET", f"/api/v1/export/{kind}", params=query)
    assert reply.status_code == 200, reply.text
    return reply


def sums(view, key):
    columns = ", ".join(f"CAST(sum({name}) AS INTEGER) AS {name}" for name in FIGURES)
    if view == "usage_requests":
        columns = columns.replace("sum(requests)", "count(*)")
        columns = columns.replace("sum(errors)", "sum(outcome = 'failed')")
    return f"SELECT {columns} FROM {view} WHERE key_name = '{key}'"


def expected(usage):
    return tuple(usage["total"][name] for name in FIGURES)


@pytest.mark.parametrize("view", ["usage_requests", "usage_hourly", "usage_daily"])
def test_datasette(recorded, database, view):
    key, usage = recorded
    query = f"/{database.stem}.json?sql={sums(view, key)}&_shape=array".replace(" ", "+")
    command = [sys.executable, "-m", "datasette", str(database), "--get", query]
    output = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert output.returncode == 0, output.stderr
    (row,) = json.loads(output.stdout)
    assert tuple(row[name] or 0 for name in FIGURES) == expected(usage)


@pytest.mark.parametrize("view", ["usage_requests", "usage_hourly", "usage_daily"])
def test_sqlite_utils(recorded, database, view):
    key, usage = recorded
    tables = sqlite_utils.Database(database)
    assert view in tables.table_names()
    (row,) = tables.query(sums(view, key))
    assert tuple(row[name] or 0 for name in FIGURES) == expected(usage)


@pytest.mark.parametrize("view", ["usage_requests", "usage_hourly", "usage_daily"])
def test_duckdb(recorded, database, view):
    key, usage = recorded
    with duckdb.connect() as connection:
        connection.execute(f"LOAD '{SCANNER}'")
        connection.execute(f"ATTACH '{database}' AS gateway (TYPE sqlite)")
        query = sums(f"gateway.{view}", key).replace("INTEGER", "BIGINT")
        if view == "usage_requests":
            query = query.replace("CAST(sum(requests)", "CAST(count(*)")
            query = query.replace("sum(errors)", "sum(CAST(outcome = 'failed' AS INTEGER))")
        row = connection.execute(query).fetchone()
        assert tuple(value or 0 for value in row) == expected(usage)
        types = dict(
            connection.execute(
                f"SELECT column_name, column_type FROM (DESCRIBE gateway.{view})"
            ).fetchall()
        )
        assert types["cost_nanos"] == "BIGINT" and types["requested_model"] == "VARCHAR"
        assert types["cost_usd"] == "DOUBLE"


def test_csv_and_json_lines(recorded):
    key, usage = recorded
    lines = [json.loads(line) for line in export("jsonl", key=key).text.splitlines()]
    rows = list(csv.DictReader(io.StringIO(export("csv", key=key).text, newline="")))
    assert len(lines) == len(rows) == usage["total"]["requests"]
    for line, row in zip(lines, rows, strict=True):
        assert line["id"] == row["id"]
        assert str(line["cost_nanos"] if line["cost_nanos"] is not None else "") == row["cost_nanos"]
        if line["cost_usd"] is not None:
            assert Decimal(row["cost_usd"]) * 10**9 == line["cost_nanos"]
    total = sum(line["cost_nanos"] or 0 for line in lines)
    assert total == usage["total"]["cost_nanos"]
    for group in usage["rows"]:
        name, status = group["group"]["model"], group["group"]["status"]
        if name == "(unknown)":
            continue
        mine = [one for one in lines if one["requested_model"] == name and one["status"] == status]
        assert len(mine) == group["requests"]


def test_a_request_is_the_same_everywhere(recorded, database):
    key, _ = recorded
    log = administer("GET", "/api/v1/requests", params={"key": key, "limit": 1}).json()
    (request,) = log["requests"]
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        query = "SELECT * FROM usage_requests WHERE id = ?"
        row = connection.execute(query, [request["id"]]).fetchone()
    for name in ("status", "outcome", "provider", "input_tokens", "cost_nanos", "latency_ms"):
        assert request[name] == row[name], name
