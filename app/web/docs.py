"""The API described: for programs, and for people with Swagger UI, all from here."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.domain import jsons
from app.web import openapi
from app.web.operations import Operation
from app.web.services import services

OWN = Path(__file__).parent / "static" / "docs"
OURS = frozenset({"start.js"})
THEIRS = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
KINDS: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SCHEMA = "/schemas/workflow.json"
HOUR = 3600  # seconds; the language changes with a release only

bp = Blueprint("docs", __name__)


@bp.get("/openapi.json")
@Operation(scope=None, answers={200: "application/json"})
def described() -> ResponseReturnValue:
    """Describe this API as OpenAPI 3.1."""
    return jsonify(openapi.document(current_app))


@bp.get(SCHEMA)
@Operation(scope=None, answers={200: "application/schema+json"})
def language() -> ResponseReturnValue:
    """Get the JSON Schema of definitions, for editors."""
    address = {"$id": f"{services().public_url}{SCHEMA}"}
    described = jsons.encode({**address, **services().compiler.language})
    response = Response(described, content_type="application/schema+json")
    response.cache_control.public = True
    response.cache_control.max_age = HOUR
    return _tagged(response)


@bp.get("/docs")
@Operation(scope=None, answers={200: "text/html"})
def page() -> ResponseReturnValue:
    """Read about this API in a browser, and try it."""
    return _file(OWN / "index.html")


@bp.get("/docs/<asset>")
@Operation(scope=None, answers={200: "*/*"})
def part(asset: str) -> ResponseReturnValue:
    """Get a part of the page."""
    if asset in OURS:
        return _file(OWN / asset)
    if asset in THEIRS:
        return _file(Path(str(files("flask_swagger_ui"))) / "dist" / asset)
    raise NotFound


def _file(path: Path) -> Response:
    """Answer with a file."""
    response = Response(path.read_bytes(), content_type=KINDS[path.suffix])
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-cache"
    return _tagged(response)


def _tagged(response: Response) -> Response:
    """Answer with 304 to those who have it already."""
    response.add_etag()
    response.make_conditional(request)
    return response
