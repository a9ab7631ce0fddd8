"""gunicorn's parser, configured as shipped."""

from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

CLIENT = ("127.0.0.1", 40000)
SHIPPED = {
    "http_parser": "python",
    "limit_request_line": 4094,
    "limit_request_fields": 64,
    "limit_request_field_size": 8190,
    "forwarded_allow_ips": "",
    "forwarder_headers": "",
    "secure_scheme_headers": {},
}


def config():
    cfg = Config()
    for name, value in SHIPPED.items():
        cfg.set(name, value)
    return cfg


def parser():
    cfg = config()
    return lambda head, client=CLIENT: Request(cfg, IterUnreader([head]), client)
