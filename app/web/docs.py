"""The API described: for programs, and for people with Swagger UI, all from here."""

from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, send_from_directory
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.web import openapi
from app.web.operations import Operation

OWN = Path(__file__).parent / "static" / "docs"
OURS = frozenset({"start.js"})
THEIRS = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)

bp = Blueprint("docs", __name__)


@bp.get("/openapi.json")
@Operation(scope=None, answers={200: "application/json"})
def described() -> ResponseReturnValue:
    """Describe this API as OpenAPI 3.1."""
    return jsonify(openapi.document(current_app))


@bp.get("/docs")
@Operation(scope=None, answers={200: "text/html"})
def page() -> ResponseReturnValue:
    """Read about this API in a browser, and try it."""
    return _careful(send_from_directory(OWN, "index.html"))


@bp.get("/docs/<asset>")
@Operation(scope=None, answers={200: "*/*"})
def part(asset: str) -> ResponseReturnValue:
    """Get a part of the page."""
    if asset in OURS:
        return _careful(send_from_directory(OWN, asset))
    if asset in THEIRS:
        dist = Path(str(files("flask_swagger_ui"))) / "dist"
        return _careful(send_from_directory(dist, asset))
    raise NotFound


def _careful(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-cache"
    return response
