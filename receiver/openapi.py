"""The receiver's routes as an OpenAPI document. Refuses to be a second truth: requests are the models that parse them, and the tests hold
every answer of the running receiver to what is written here.

`docs/openapi.json` is `text()`.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from receiver.accept import Outcome
from receiver.exemptions import ExemptionErasure, ExemptionRequest
from receiver.fleet import EnrolmentRequest, RegistrationRequest
from receiver.opening import AccessRequest
from receiver.rights import ErasureRequest
from receiver.showing import FetchRequest, ListingRequest

Schema = dict[str, Any]
_OCTETS = "application/octet-stream"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one route.

    Attributes:
        answers: what is answered with success, by status.
        refusals: other statuses, each with the words for it.
        request: the model of its JSON body; None for none, or for an envelope.
        headers, queries: names of parameters, and whether they are required.
    """

    method: str
    path: str
    summary: str
    answers: dict[int, Schema | str]
    refusals: dict[int, str] = field(default_factory=dict)
    request: type[BaseModel] | None = None
    headers: dict[str, bool] = field(default_factory=dict)
    queries: dict[str, bool] = field(default_factory=dict)


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _hex(digits: int) -> Schema:
    return {"type": "string", "pattern": f"^[0-9a-f]{{{digits}}}$"}


_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_YES: Schema = {"type": "boolean"}
_DAY: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_ID = _hex(64)
_ERROR = _object(error=_TEXT, do=_TEXT)
_STORED = _object(id=_ID, outcome={"enum": [Outcome.STORED.value, Outcome.KNOWN.value]})
_RECEIPT = _object(
    receipt=_object(
        format={"const": 1},
        pseudonym=_ID,
        batches={"anyOf": [_list(_ID), {"type": "null"}]},
        erased=_COUNT,
        at=_DAY,
        last_copy_dies=_DAY,
    ),
    key=_hex(64),
    signature=_hex(128),
)
_ACCESS = _object(id=_COUNT, at=_TEXT, purpose=_TEXT, reason=_TEXT, batches=_list(_ID), previous=_ID, hash=_ID)
_READY = _object(ready=_YES, why={"enum": ["ending", "policy", "disk full", "storage", "database", None]})
_ENROLLED = _object(identities_a_day=_COUNT)
_REGISTERED = _object(day=_DAY, identities=_COUNT)
_LISTED = _object(batches=_list(_object(id=_ID, bytes=_COUNT, stored_on=_DAY)), more=_YES)

_PURPOSES = _object(purposes=_list(_object(name=_TEXT, retention_days=_COUNT)), late_days=_COUNT)

_MALFORMED = {422: "malformed"}
_BODY = {408: "slower than the deadline", 411: "no length", 413: "longer than a body may be here"} | _MALFORMED
_DISK = {500: "the receiver or its disk failed", 507: "disk full"}
_PROOF = {403: "the proof does not hold"}
_HERE = {403: "not from this machine, or no access record"}

OPERATIONS = (
    Operation(
        "put",
        "/v1/batches/{id}",
        "Store an envelope.",
        {201: _STORED, 200: _STORED},
        _BODY | _DISK | {403: "its pseudonym is not registered", 409: "its subject had it erased", 503: "busy or ending"},
    ),
    Operation(
        "post",
        "/v1/enrolments",
        "Join.",
        {201: _ENROLLED, 200: _ENROLLED},
        _BODY | _DISK | {403: "the token or the signature does not hold"},
        EnrolmentRequest,
    ),
    Operation(
        "post",
        "/v1/registrations",
        "Register a day's identities.",
        {201: _REGISTERED, 200: _REGISTERED},
        _BODY | _DISK | {403: "not enrolled, or the signature does not hold", 409: "others are registered"},
        RegistrationRequest,
    ),
    Operation(
        "post",
        "/v1/exemptions",
        "Ask for an exemption.",
        {201: _object(id=_ID), 200: _object(id=_ID)},
        _BODY | _DISK | {403: "not enrolled, or the signature does not hold", 409: "another has this id", 429: "enough for today"},
        ExemptionRequest,
    ),
    Operation(
        "post",
        "/v1/exemption-erasures",
        "Forget a request.",
        {200: _object(forgotten={"const": True})},
        _BODY | _DISK,
        ExemptionErasure,
    ),
    Operation(
        "get",
        "/v1/exemptions/{id}",
        "The signed decision; null without one.",
        {200: _object(decision={"anyOf": [_TEXT, {"type": "null"}]})},
        _MALFORMED,
    ),
    Operation("get", "/v1/erasures/nonce", "A nonce to sign.", {200: _object(nonce=_hex(80), lifetime_s=_COUNT)}),
    Operation("post", "/v1/erasures", "Erase by proof.", {200: _RECEIPT}, _BODY | _DISK | _PROOF, ErasureRequest),
    Operation("post", "/v1/listing", "A pseudonym's batches, by proof.", {200: _LISTED}, _BODY | _PROOF, ListingRequest),
    Operation(
        "post",
        "/v1/listing/fetch",
        "One envelope, by proof.",
        {200: _OCTETS},
        _BODY | _PROOF | {404: "this pseudonym has no such batch here", 410: "erased", 500: "damaged"},
        FetchRequest,
    ),
    Operation(
        "get",
        "/v1/access",
        "The access log, open to everyone.",
        {200: _object(first_previous=_ID, records=_list(_ACCESS), more=_YES)},
        _MALFORMED,
        queries={"after": False},
    ),
    Operation("post", "/v1/access", "Note an access.", {201: _object(record=_COUNT, hash=_ID)}, _BODY | _DISK | _HERE, AccessRequest),
    Operation(
        "get",
        "/v1/custody/batches",
        "Ids of a purpose's batches.",
        {200: _object(batches=_list(_ID), more=_YES)},
        _MALFORMED | _HERE,
        queries={"purpose": True, "after": False},
    ),
    Operation(
        "get",
        "/v1/custody/batches/{id}",
        "An envelope, for an access record that names it.",
        {200: _OCTETS},
        _MALFORMED | _HERE | {410: "erased", 500: "damaged"},
        headers={"X-Volens-Access": True},
    ),
    Operation("get", "/v1/purposes", "Of which purposes there may be something here.", {200: _PURPOSES}),
    Operation("get", "/v1/tuf/{path}", "The TUF repository.", {200: {}}, {404: "not published"}),
    Operation("get", "/healthz", "Does the process answer?", {200: _object(healthy=_YES)}),
    Operation("get", "/readyz", "Are envelopes taken in?", {200: _READY, 503: _READY}),
)


def document() -> Schema:
    """The whole document, OpenAPI 3.1."""
    paths: dict[str, Schema] = {}
    for each in OPERATIONS:
        paths.setdefault(each.path, {})[each.method] = _operation(each)
    info = {"title": "Volens receiver", "version": "1", "description": "Takes envelopes in. Has no key that opens any."}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": {"Error": _ERROR}}}


def text() -> str:
    """The document as it lies in docs/openapi.json."""
    return json.dumps(document(), indent=1) + "\n"


def _operation(each: Operation) -> Schema:
    responses = {str(status): _answer(status, content) for status, content in each.answers.items()}
    for status, words in sorted(each.refusals.items()):
        responses[str(status)] = {"description": words, "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}}
    described: Schema = {"summary": each.summary, "parameters": _parameters(each), "responses": responses}
    if each.request is not None:
        described["requestBody"] = {"required": True, "content": {_JSON: {"schema": _portable(each.request.model_json_schema())}}}
    elif each.method == "put":
        described["requestBody"] = {"required": True, "content": {_OCTETS: {}}}
    return described


def _portable(schema: Any) -> Any:
    """The schema with patterns as ECMA 262 spells them, which is what OpenAPI asks for: its `$` is the end, and it has no `\\z`."""
    if isinstance(schema, dict):
        return {name: value.replace(r"\z", "$") if name == "pattern" else _portable(value) for name, value in schema.items()}
    return [_portable(each) for each in schema] if isinstance(schema, list) else schema


def _answer(status: int, content: Schema | str) -> Schema:
    words = {200: "done", 201: "made, durably", 503: "not now"}[status]
    return {"description": words, "content": {_OCTETS: {}} if content == _OCTETS else {_JSON: {"schema": content}}}


def _parameters(each: Operation) -> list[Schema]:
    named = [part[1:-1] for part in each.path.split("/") if part.startswith("{")]
    found: list[Schema] = [{"name": name, "in": "path", "required": True, "schema": _ID if name == "id" else _TEXT} for name in named]
    for place, parameters in (("query", each.queries), ("header", each.headers)):
        found += [{"name": name, "in": place, "required": needed, "schema": _TEXT} for name, needed in parameters.items()]
    return found
