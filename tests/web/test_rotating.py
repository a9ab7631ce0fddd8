import pytest

from tests.web.conftest import hook_of

pytestmark = pytest.mark.usefixtures("way_in")


def send(api, workflow):
    answer = api.client.post(hook_of(workflow), data=b"{}")
    return answer.status_code


def rotate(api, workflow):
    return api.call("POST", f"/workflows/{workflow['id']}/rotate-token")


def test_a_rotated_webhook_has_another_url_and_the_old_one_still_works(api):
    made = api.workflow()
    assert send(api, made) == 202

    rotated = rotate(api, made)

    assert rotated["webhook_url"] != made["webhook_url"]
    assert {**rotated, "webhook_url": 0, "updated_at": 0} == {
        **made,
        "webhook_url": 0,
        "updated_at": 0,
    }
    assert api.call("GET", f"/workflows/{made['id']}") == rotated
    assert (send(api, made), send(api, rotated)) == (202, 202)
    assert len(api.call("GET", "/executions")["items"]) == 3


def test_every_url_of_the_last_day_works(api):
    first = api.workflow()
    second = rotate(api, first)
    third = rotate(api, second)

    assert [send(api, each) for each in (first, second, third)] == [202] * 3


def test_a_closed_door_is_closed_for_the_old_url_too(api):
    made = api.workflow()
    rotate(api, made)
    assert send(api, made) == 202

    api.call("PATCH", f"/workflows/{made['id']}", {"is_active": False})
    assert send(api, made) == 404

    api.call("PATCH", f"/workflows/{made['id']}", {"is_active": True})
    assert send(api, made) == 202
    api.call("DELETE", f"/workflows/{made['id']}")
    assert send(api, made) == 404


def test_only_who_may_write_rotates_and_only_what_is_theirs(api, stranger):
    made = api.workflow()
    path = f"/workflows/{made['id']}/rotate-token"

    assert api.another_key("run").ask("POST", path).status_code == 403
    assert stranger.ask("POST", path).status_code == 404
    assert api.call("GET", f"/workflows/{made['id']}") == made
