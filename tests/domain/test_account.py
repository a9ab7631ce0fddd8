import pytest

from app.domain.account import SCOPES, Role, Scope, cut


def test_each_role_has_a_scope_of_its_own():
    assert {role.value: scope.value for role, scope in SCOPES.items()} == {
        "owner": "admin",
        "editor": "write",
        "operator": "run",
        "viewer": "read",
    }


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("scope", Scope)
def test_of_a_keys_scope_and_its_users_role_the_lesser_counts(role, scope):
    [left] = cut([scope], role)

    assert left in {scope, SCOPES[role]}
    assert scope.covers(left)
    assert SCOPES[role].covers(left)
