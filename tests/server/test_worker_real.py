"""The shipped configuration with real processes and sockets."""

import asyncio
import json
import os
import resource
import signal
import socket
import subprocess
import time

import pytest

from tests.server import clients, serving
from tests.server.clients import CLOSING, GET, HOST
from tests.server.torture import REFUSED

pytestmark = pytest.mark.system

PROMPT = 1.0  # seconds a good client may wait meanwhile


@pytest.fixture(scope="module")
def server():
    with serving.start() as running:
        yield running


def connect(server):
    sock = socket.create_connection((HOST, server.port), timeout=20)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def read_all(sock):
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


def ask(server, request=CLOSING):
    return asyncio.run(clients.ask(server.port, request))


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_bytes_get_a_problem_document_and_the_connection_closes(server, case):
    status, data = REFUSED[case]

    answer = ask(server, data)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    assert b"Connection: close" in head
    document = json.loads(body)
    assert document["status"] == status
    assert f"X-Request-Id: {document['request_id']}".encode() in head


def test_nothing_of_wrong_requests_is_in_the_log(server):
    ask(server, b"GET /hooks/secret-token bad HTTP/1.1\r\nHost: x\r\n\r\n")
    ask(server, b"GET /hooks/secret-token HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n")
    ask(
        server,
        b"GET /hooks/secret-token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )

    assert "secret-token" not in server.output()


def test_an_application_that_fails_gets_a_problem_document_sent(server):
    answer = ask(
        server, b"GET /crash HTTP/1.1\r\nHost: x\r\nX-Request-Id: abc-7\r\n\r\n"
    )

    assert answer.startswith(b"HTTP/1.1 500 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["request_id"] == "abc-7"
    server.wait_for_line("broken on purpose")


def test_the_sender_of_a_much_too_large_body_reads_its_413(server):
    body = b"a" * (6 << 20)
    head = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)

    with connect(server) as sock:
        sock.sendall(head + body)
        answer = read_all(sock)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_client_that_expects_100_continue_gets_it(server):
    with connect(server) as sock:
        sock.sendall(
            b"POST /body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            b"Content-Length: 3\r\nConnection: close\r\n\r\n"
        )
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"abc")
        answer = read_all(sock)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"length":3' in answer


def test_pipelined_requests_are_answered_in_order(server):
    requests = b"".join(
        b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
        + b"a" * size
        for size in range(1, 6)
    )

    answer = ask(server, requests + CLOSING)

    sizes = [int(part[:1]) for part in answer.split(b'"length":')[1:]]
    assert sizes == [1, 2, 3, 4, 5]
    assert answer.endswith(b"\r\n\r\nok")


def test_a_chunked_body_reaches_the_application_as_one_with_a_length(server):
    body = b"".join(b"%x\r\n%s\r\n" % (700, b"a" * 700) for _ in range(1000))

    answer = ask(
        server,
        clients.CHUNKED[:-2] + b"Connection: close\r\n\r\n" + body + b"0\r\n\r\n",
    )

    assert b'"length":700000' in answer


def test_a_large_answer_reaches_a_client_that_reads_it_slowly(server):
    size = 5_000_000
    with connect(server) as sock:
        sock.sendall(b"GET /big?size=%d HTTP/1.0\r\n\r\n" % size)
        sock.recv(1)  # the answer has begun, and waits
        assert ask(server).startswith(b"HTTP/1.1 200 ")
        answer = b"H" + read_all(sock)

    assert len(answer.partition(b"\r\n\r\n")[2]) == size


def test_open_files_are_enough_for_every_connection(server):
    answer = ask(server, CLOSING.replace(b"/", b"/files", 1))

    assert json.loads(answer.partition(b"\r\n\r\n")[2])["soft"] >= 4096


def test_when_full_of_idle_connections_new_clients_are_served(serve):
    server = serve()

    async def fill():
        idle = [await asyncio.open_connection(HOST, server.port) for _ in range(810)]
        reader, writer = idle[-1]
        writer.write(GET)
        await clients.read_answer(reader)  # all 810 are in, the eldest for a second
        began = time.monotonic()
        answers = [await clients.ask(server.port) for _ in range(20)]
        took = time.monotonic() - began
        gone = sum(reader.at_eof() for reader, _ in idle)
        for _, writer in idle:
            await clients.closed(writer)
        return answers, took, gone

    answers, took, gone = asyncio.run(fill())

    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
    assert took < 20 * PROMPT
    assert gone >= 10


def test_without_descriptors_the_server_waits_for_some(serve):
    server = serve()
    (worker,) = server.children()
    before = resource.prlimit(worker, resource.RLIMIT_NOFILE, (60, 60))

    async def flood():
        many = [await asyncio.open_connection(HOST, server.port) for _ in range(100)]
        await asyncio.to_thread(server.wait_for_line, "No connection can be accepted")
        for _, writer in many:
            await clients.closed(writer)
        return await clients.ask(server.port)

    assert asyncio.run(flood()).startswith(b"HTTP/1.1 200 ")
    assert before[0] >= 4096
    assert "Traceback" not in server.output()


def test_a_worker_whose_master_was_killed_drains_and_ends(serve):
    server = serve(SAMPLE_RUN="60", SLUICE_DRAIN_TIMEOUT="3")

    server.send("KILL")

    server.wait_for_line("Parent changed")
    server.wait_for_line('"interrupted":1')
    assert server.ends_within(3)


def test_a_signal_to_stop_lets_requests_and_executions_finish(serve):
    server = serve(SAMPLE_RUN="3")
    with connect(server) as sock, connect(server):  # the other never sends a byte
        sock.sendall(CLOSING.replace(b"/", b"/wait?seconds=1", 1))
        server.wait_for_line("Booting")
        began = time.monotonic()
        server.send("TERM")
        answer = read_all(sock)
        code = server.wait()

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert code == 0
    assert time.monotonic() - began < 4.5
    summary = next(line for line in server.log_lines() if line["message"] == "Drained")
    assert (summary["interrupted"], summary["requests_left"]) == (0, 0)
    steps = [line for line in server.output().splitlines() if line.startswith("engine")]
    assert steps == ["engine: begin_drain", "engine: stop"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_was_sent_before_the_signal_is_answered_after_it(serve, workers):
    server = serve(WEB_CONCURRENCY=workers)

    async def many():
        sent = [await asyncio.open_connection(HOST, server.port) for _ in range(300)]
        for _, writer in sent:
            writer.write(CLOSING)
        server.send("TERM")
        answers = [await reader.read() for reader, _ in sent]
        for _, writer in sent:
            await clients.closed(writer)
        return answers

    answers = asyncio.run(many())

    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
    assert server.wait() == 0


def test_an_execution_that_overstays_is_interrupted_before_the_grace_ends(serve):
    server = serve(SAMPLE_RUN="60", SLUICE_DRAIN_TIMEOUT="4")
    began = time.monotonic()

    server.send("TERM")

    assert server.wait() == 0
    assert 1.5 < time.monotonic() - began < 4
    steps = [line for line in server.output().splitlines() if line.startswith("engine")]
    assert steps == ["engine: begin_drain", "engine: abort", "engine: stop"]


@pytest.mark.parametrize("env", [{"SAMPLE_STUCK": "1"}, {}])
def test_a_thread_that_does_not_end_cannot_keep_the_process(serve, env):
    server = serve(SLUICE_DRAIN_TIMEOUT="4", **env)
    with connect(server) as sock:
        if not env:
            sock.sendall(CLOSING.replace(b"/", b"/wait?seconds=30", 1))
            ask(server)  # the other request has its thread
        began = time.monotonic()
        server.send("TERM")

        assert server.wait() == 0
        assert time.monotonic() - began < 4
    assert "was sent SIGKILL" not in server.output()


@pytest.mark.parametrize("name", ["INT", "QUIT"])
def test_an_interrupt_waits_for_nobody(serve, name):
    server = serve(SAMPLE_RUN="60")
    with connect(server) as sock:
        sock.sendall(CLOSING.replace(b"/", b"/wait?seconds=30", 1))
        ask(server)
        began = time.monotonic()
        server.send(name)

        assert server.wait() == 0
        assert time.monotonic() - began < 3
    assert "engine: abort" in server.output()
    assert "engine: stop" in server.output()


def test_two_reloads_and_an_upgrade_under_load_fail_no_request(serve):
    server = serve()
    until = time.monotonic() + 9

    async def load():
        return await asyncio.gather(
            *(clients.keep_asking(server.port, until) for _ in range(8)),
            *(clients.keep_asking(server.port, until, pause=0.5) for _ in range(8)),
            *(clients.ask_again(server.port, until) for _ in range(4)),
            asyncio.to_thread(replace_everything),
        )

    def replace_everything():
        for number in (1, 2):
            server.send("HUP")
            server.wait_for_line('"message":"Drained"', count=number)
        old = server.pid
        server.send("USR2")
        server.follow_new_master()
        server.wait_for_line("Booting worker", count=4)
        asyncio.run(clients.ask(server.port))
        os.kill(old, signal.SIGTERM)
        return server.wait()

    *answers, code = asyncio.run(load())

    assert code == 0
    assert min(answers) > 5
    assert ask(server).startswith(b"HTTP/1.1 200 ")


def test_an_engine_that_does_not_start_stops_the_server_with_a_clear_line():
    server = serving.Server({"SAMPLE_BROKEN_START": "1"}, serving.SAMPLE)
    try:
        assert server.wait() == 3
        (line,) = (each for each in server.log_lines() if each["level"] == "critical")
        assert line["message"] == "The engine did not start, so the server stops"
        assert "broken on purpose" in line["exception"]
        assert server.output().count("Booting worker") == 1
    finally:
        server.stop()


def test_a_broken_application_is_found_before_a_reload_which_it_would_end(
    serve, tmp_path
):
    poison = tmp_path / "poison"
    env = {"SAMPLE_POISON": str(poison)}
    server = serve("tests.server.fragile_app:app", **env)

    def check():
        return subprocess.run(
            [*serving.GUNICORN, "--check-config", "tests.server.fragile_app:app"],
            cwd=serving.ROOT,
            env={**os.environ, **env},
            capture_output=True,
            check=False,
        ).returncode

    assert check() == 0
    poison.touch()
    assert check() == 1
    server.send("HUP")

    assert server.wait() == 3


def test_a_socket_that_systemd_opened_is_served():
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        script = (
            f"exec 3<&{listener.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec"
            f" {' '.join(serving.GUNICORN)} {serving.SAMPLE}"
        )
        process = subprocess.Popen(
            ["/bin/bash", "-c", script],
            cwd=serving.ROOT,
            pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL,
        )
    try:
        answer = asyncio.run(clients.ask(port))
    finally:
        process.terminate()
        process.wait(serving.PATIENCE)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert process.returncode == 0


@pytest.mark.parametrize("variable", ["PORT", "SLUICE_READ_TIMEOUT"])
def test_a_wrong_setting_ends_the_start_with_one_line(variable):
    done = subprocess.run(
        [*serving.GUNICORN, serving.SAMPLE],
        cwd=serving.ROOT,
        env={**os.environ, variable: "wrong"},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"{variable} is 'wrong'; expected ")
