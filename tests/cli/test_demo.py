"""The demo, against a server that is made up."""

import json
from typing import Any

import httpx2
import pytest

from app.cli import demo, main
from app.cli.client import Client


class Told(Client):
    """Answers as a server would; posts the text to the receiver when it is good."""

    def __init__(self, *, status: str = "success", reaches: bool = True) -> None:
        self.status = status
        self.reaches = reaches
        self.sink = ""

    def call(self, method: str, url: str, **given: Any) -> Any:
        if url == "/api/v1/workflows":
            self.sink = given["json"]["definition"]["steps"][1]["with"]["url"]
            return {"webhook_url": "http://localhost/hooks/t"}
        if url == "http://localhost/hooks/t":
            if self.reaches:
                httpx2.post(self.sink, json={"text": "octocat opened #7"})
            return {"execution_id": "exec_1"}
        assert (method, url) == ("GET", "/api/v1/executions/exec_1")
        return {"id": "exec_1", "status": self.status}


def test_a_finished_execution_is_printed_as_json_and_summed_up_in_a_line(capsys):
    assert demo.run(Told()) == 0

    told = capsys.readouterr()
    assert json.loads(told.out)["status"] == "success"
    assert told.err.endswith("the receiver got: octocat opened #7\n")


def test_an_execution_that_failed_is_shown_and_fails_the_demo(capsys):
    with pytest.raises(demo.Unfinished, match="exec_1 ended as failed"):
        demo.run(Told(status="failed"))

    assert json.loads(capsys.readouterr().out)["status"] == "failed"


def test_a_success_of_which_nothing_arrived_fails_the_demo():
    with pytest.raises(demo.Unfinished, match="the receiver got 0 requests"):
        demo.run(Told(reaches=False))


def test_an_execution_that_does_not_end_fails_the_demo_in_time():
    with pytest.raises(demo.Unfinished, match=r"did not end within 0\.1 s"):
        demo.run(Told(status="running"), within=0.1)


def test_a_url_without_a_key_is_refused_before_anything_is_sent(capsys):
    assert main(["demo", "--url", "http://127.0.0.1:9"], env={}) == 2

    assert "SLUICE_API_KEY" in capsys.readouterr().err


def test_without_a_command_the_usage_is_told(capsys):
    with pytest.raises(SystemExit) as ended:
        main([])

    assert ended.value.code == 2
    assert "command" in capsys.readouterr().err
