"""Programs of packages from the registry that are written for python-socketio's clients. (issue 10, D8)"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.installation import install_python_socketio

PROGRAMS = Path(__file__).parent / "programs"

Run = Callable[..., list[str]]
Serve = Callable[[str], str]


@pytest.fixture
def free_url() -> str:
    """A URL where nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_locust_runs_a_load_test(python: str, serve: Serve) -> None:
    """``SocketIOUser`` under gevent: connects, sends, calls and receives without a failure. Runs for three seconds."""
    url = serve("echo.py")
    arguments = ["--headless", "--users", "3", "--spawn-rate", "3", "--run-time", "3s", "--stop-timeout", "3", "--json"]
    command = [python, "-m", "locust", "-f", str(PROGRAMS / "locustfile.py"), "--host", url, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=40, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {(row["method"], row["name"]): row for row in json.loads(done.stdout)}
    assert all(row["num_failures"] == 0 for row in rows.values())
    assert rows["WS", "connect"]["num_requests"] == 3
    for row in [("WSS", "send"), ("WSE", "greet"), ("WSC", "add"), ("WSR", "message"), ("WSR", "welcome")]:
        assert rows[row]["num_requests"] >= 15
    assert rows["WSR", "hello"]["num_requests"] == 3
    assert "Traceback" not in done.stderr


def test_locust_cloud_follows_a_load_test(run: Run, serve: Serve) -> None:
    """It prints the log, and ends when the server says so."""
    url = serve("locust_cloud.py")
    assert run("use_locust_cloud.py", url, "the session", "10") == ["12 requests", "the test has ended", "quick"]


def test_locust_cloud_is_refused(run: Run, serve: Serve) -> None:
    """A session of another program ends ``connect(retry=True)`` with the package's own error."""
    url = serve("locust_cloud.py")
    error = "SessionMismatchError: The session from this run of locust-cloud did not match the one on the server"
    assert run("use_locust_cloud.py", url, "another session", "10") == [error, "quick"]


def test_locust_cloud_finds_no_server(run: Run, free_url: str) -> None:
    """Its own time limit ends ``connect(retry=True)`` with its own error. Takes the limit of two seconds."""
    error = "WebsocketTimeout: Timed out connecting to locust master"
    assert run("use_locust_cloud.py", free_url, "the session", "2") == [error, "quick"]


def test_uptime_kuma_api_logs_in(run: Run, serve: Serve) -> None:
    """It connects with ``headers=None`` and a path in the URL, logs in by a call, and disconnects."""
    assert run("use_uptime_kuma.py", serve("uptime_kuma.py")) == [
        "Incorrect username or password.",
        "{'token': 'token-of-ada'}",
        "1.23.2 [{'id': 1, 'name': 'Google', 'notificationIDList': []}]",
    ]


def test_seatable_api_logs_in_again(run: Run, serve: Serve) -> None:
    """Its override of ``_handle_disconnect`` gets a new token and connects again, after a sleep of three seconds."""
    lines = run("use_seatable.py", serve("seatable.py"))
    assert "first: 1234 token 1" in lines
    assert "after the disconnection: 1234 token 2" in lines
    assert sum("connection established" in line for line in lines) == 2
    assert sum("JWT token refreshed" in line for line in lines) == 1


def test_aioambient_gets_the_weather(run: Run, serve: Serve) -> None:
    """It connects over websocket, subscribes, disconnects, and gets its own error where nothing listens."""
    assert run("use_ambient.py", serve("ambient.py")) == [
        "connected",
        "{'devices': ['key of ada']}",
        "{'tempf': 68.4}",
        "disconnected",
        "WebsocketError",
    ]


def test_dockgectl_reads_the_settings(run: Run, serve: Serve) -> None:
    """It connects without reconnection, calls, and gets its own error where nothing listens."""
    assert run("use_dockge.py", serve("various.py")) == [
        "authIncorrectCreds",
        "{'version': '1.4.2'} {'primaryHostname': 'here'}",
        "True",
    ]


def test_cider_py_controls_a_player(run: Run, serve: Serve) -> None:
    """It has a catch-all handler with threads, and removes a handler by ``sio.handlers["/"].pop()`` with asyncio."""
    assert run("use_cider.py", serve("various.py")) == [
        "['playing', \"{'song': 'one'}\"]",
        "['playing', \"{'song': 'two'}\"]",
        "playing 0",
    ]


def test_pykumaapi2_logs_in(run: Run, serve: Serve) -> None:
    """It waits for a future that the callback of ``emit()`` sets."""
    assert run("use_kuma2.py", serve("uptime_kuma.py")) == [
        "Connected to Uptime Kuma",
        "Server info: {'primaryBaseURL': None}",
        "Login required",
        "Server info: {'version': '1.23.2'}",
        "{'ok': True, 'token': 'token-of-ada'}",
        "Disconnected from Uptime Kuma",
    ]


def test_shadowob_sdk_joins_a_channel(run: Run, serve: Serve) -> None:
    """It calls over websocket, and reads ``connected``."""
    assert run("use_shadow.py", serve("various.py")) == ["{'ok': True} {'channel': 'general'} True"]


def test_pine_assistant_opens_a_session(run: Run, serve: Serve) -> None:
    """The path has slashes at both ends, the server emits in its ``connect`` handler, a refusal has a reason."""
    assert run("use_pine.py", serve("various.py")) == ["{'room': 7}", "ConnectionError True"]


def test_simple_async_mq_publishes_from_several_event_loops(run: Run, serve: Serve) -> None:
    """What it emits before its event loop ends is delivered, and the same client connects on the next loop."""
    lines = run("use_mq.py", serve("various.py"))
    assert lines[-1] == "['news', {'topic': 'news', 'number': 2}]"
    assert sum(line.startswith("['news'") for line in lines) == 3


@pytest.mark.timeout(120)
def test_what_is_recorded_of_python_socketio_holds(serve: Serve) -> None:
    """The newest one gives what ``attributes.json`` holds. Its client waits for a ping after it has disconnected."""
    program = PROGRAMS.parents[1] / "programs" / "attributes.py"
    record = json.loads(program.with_suffix(".json").read_text())
    environment = {**os.environ, "PYTHONPATH": str(install_python_socketio())}
    url = serve("echo.py")
    running = {
        flavour: subprocess.Popen(
            [sys.executable, str(program), url, flavour], env=environment, stdout=subprocess.PIPE, text=True
        )
        for flavour in record
    }
    printed = {flavour: json.loads(process.communicate(timeout=100)[0]) for flavour, process in running.items()}
    assert printed == record
