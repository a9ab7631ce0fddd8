"""What the environment decides."""

import base64

import pytest

from app.settings import Settings, forget

KEY = base64.b64encode(bytes(32)).decode()


def test_keeps_the_defaults_for_what_is_unset_or_empty():
    settings = Settings.from_env({"SLUICE_POOL_WORKERS": "", "PATH": "/bin"})

    assert (settings.pool_workers, settings.pool_queue) == (10, 100)
    assert settings.database == "sqlite:///data/sluice.db"
    assert settings.base_url == "http://localhost:8000"


def test_reads_numbers_lists_and_networks():
    settings = Settings.from_env(
        {
            "SLUICE_POOL_WORKERS": "3",
            "SLUICE_CORS_ORIGINS": "https://a.example, https://b.example",
            "SLUICE_OUTBOUND_ALLOW": "10.1.0.0/16,::1/128",
            "PORT": "9000",
        }
    )

    assert settings.pool_workers == 3
    assert settings.origins == ("https://a.example", "https://b.example")
    assert [str(each) for each in settings.outbound_allow] == ["10.1.0.0/16", "::1/128"]
    assert settings.base_url == "http://localhost:9000"


@pytest.mark.parametrize(
    ("env", "shared"),
    [
        ({}, False),
        ({"REDIS_URL": "redis://127.0.0.1"}, False),
        ({"WEB_CONCURRENCY": "2"}, True),
        ({"DATABASE_URL": "postgresql://user@127.0.0.1/sluice"}, True),
    ],
)
def test_rates_are_shared_where_several_web_processes_may_be(env, shared):
    settings = Settings.from_env({"SLUICE_TENANT_RATE": "2.5", **env})

    assert settings.rates == {"tenant": 2.5, "workflow": 0.0, "is_shared": shared}


def test_an_empty_list_is_a_list_of_nothing():
    assert Settings.from_env({}).origins != ()
    assert Settings.from_env({"SLUICE_CORS_ORIGINS": ""}).origins == ()


def test_names_every_variable_that_is_wrong_and_shows_no_value():
    with pytest.raises(ValueError, match="PORT") as caught:
        Settings.from_env(
            {
                "PORT": "http",
                "SLUICE_POOL_QUEUE": "-1",
                "DATABASE_URL": "mysql://user:hunter2@db/name",
                "SLUICE_ENCRYPTION_KEYS": "aHVudGVyMg==",
                "REDIS_URL": "http://user:hunter2@cache",
            }
        )

    lines = str(caught.value).splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        "DATABASE_URL",
        "REDIS_URL",
        "PORT",
        "SLUICE_ENCRYPTION_KEYS",
        "SLUICE_POOL_QUEUE",
    ]
    assert lines[2].startswith("PORT is 'http'; input should be a valid integer")
    assert "hunter2" not in str(caught.value)
    assert "aHVudGVyMg" not in str(caught.value)


def test_production_refuses_to_start_without_its_keys():
    with pytest.raises(ValueError, match="SLUICE_SECRET_KEY"):
        Settings.from_env({"SLUICE_ENV": "production"})


def test_production_is_closed_unless_opened():
    settings = Settings.from_env(
        {
            "SLUICE_ENV": "production",
            "SLUICE_SECRET_KEY": "x" * 40,
            "SLUICE_ENCRYPTION_KEYS": f"{KEY},{KEY}",
        }
    )

    assert settings.origins == ()
    assert not settings.private_allowed
    assert KEY not in repr(settings)
    assert "x" * 40 not in repr(settings)


def test_an_explicit_value_wins_over_the_environments_default():
    settings = Settings.from_env({"SLUICE_OUTBOUND_PRIVATE": "deny"})

    assert not settings.private_allowed


@pytest.mark.parametrize("name", ["SLUICE_BACKLOG_LIMIT", "SLUICE_RETENTION_DAYS"])
def test_refuses_what_it_could_only_ignore(name):
    with pytest.raises(ValueError, match=f"{name}: not supported yet"):
        Settings.from_env({name: "5"})


def test_links_need_a_whole_url():
    with pytest.raises(ValueError, match=r"SLUICE_PUBLIC_URL .*must begin with http"):
        Settings.from_env({"SLUICE_PUBLIC_URL": "example.com"})


def test_the_keys_of_the_vault_are_those_of_the_environment_in_their_order():
    other = base64.b64encode(b"x" * 32).decode()

    settings = Settings.from_env({"SLUICE_ENCRYPTION_KEYS": f"{other}, {KEY}"})

    assert settings.sealing_keys == (b"x" * 32, bytes(32))
    assert Settings.from_env({}).sealing_keys == ()


def test_a_rate_is_any_sensible_number_of_webhooks_a_second():
    for value, rate in (("0", 0), ("0.5", 0.5), ("250", 250), ("", 0)):
        assert Settings.from_env({"SLUICE_TENANT_RATE": value}).tenant_rate == rate

    for value in ("-1", "inf", "nan", "1e-9", "1e300", "many"):
        with pytest.raises(ValueError, match="SLUICE_WORKFLOW_RATE is"):
            Settings.from_env({"SLUICE_WORKFLOW_RATE": value})


def test_secrets_may_be_kept_in_files(tmp_path):
    secret, keys = tmp_path / "secret", tmp_path / "keys"
    secret.write_text("s" * 40 + "\n")
    keys.write_text(f"{KEY}\n{KEY}\n")

    settings = Settings.from_env(
        {
            "SLUICE_ENV": "production",
            "SLUICE_SECRET_KEY_FILE": str(secret),
            "SLUICE_ENCRYPTION_KEYS_FILE": str(keys),
        }
    )

    assert settings.secret_key == "s" * 40
    assert settings.encryption_keys == (KEY, KEY)


def test_a_secret_has_one_place_and_a_file_that_can_be_read(tmp_path):
    path = tmp_path / "token"
    path.write_bytes(b"\xff\xfe")

    for env, told in (
        ({"SLUICE_SETUP_TOKEN": "hunter2"}, "are both set; unset one"),
        ({}, "cannot be read: it is no text"),
    ):
        with pytest.raises(ValueError, match=told) as caught:
            Settings.from_env({**env, "SLUICE_SETUP_TOKEN_FILE": str(path)})
        assert "hunter2" not in str(caught.value)
    with pytest.raises(ValueError, match=r"METRICS_TOKEN_FILE is .*No such file"):
        Settings.from_env({"SLUICE_METRICS_TOKEN_FILE": str(tmp_path / "none")})


def test_once_read_no_secret_is_left_in_the_environment():
    secrets = {
        "SLUICE_SECRET_KEY": "canary" * 8,
        "SLUICE_ENCRYPTION_KEYS": KEY,
        "SLUICE_SETUP_TOKEN": "canary",
        "SLUICE_METRICS_TOKEN": "canary",
        "DATABASE_URL": "sqlite:///canary.db",
    }
    env = {**secrets, "PORT": "9000", "SLUICE_SECRET_KEY_FILE": "/run/secret"}

    forget(env)

    assert env == {"PORT": "9000", "SLUICE_SECRET_KEY_FILE": "/run/secret"}
    settings = repr(Settings.from_env(secrets))
    assert not [each for each in secrets.values() if each in settings]
