"""What is told of a thing that is not there: people read it in an answer."""

import pytest

from app.domain import ids
from app.domain.errors import NotFound

WANTED = {
    "a workflow": lambda store: store.workflows.get("tenant_0", ids.new("wf")),
    "a version": lambda store: store.workflows.version("tenant_0", ids.new("wf"), 1),
    "an execution": lambda store: store.executions.get("tenant_0", ids.new("exec")),
    "a tenant": lambda store: store.accounts.tenant("tenant_0"),
    "a user": lambda store: store.accounts.user("user_0"),
    "a member": lambda store: store.members.get("tenant_0", "user_0"),
}


@pytest.mark.parametrize("thing", WANTED)
def test_what_is_not_there_is_told_in_a_sentence(store, thing):
    with pytest.raises(NotFound, match=r"^(There is no|This) [^.]+\.$"):
        WANTED[thing](store)
