"""POST /v1/enrolments and /v1/registrations: devices join, and register the identities of a day. Refuses to keep which were whose."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from receiver import bodies, fleet_rows
from receiver.enrolment import check_registration, let_in, token_digest
from receiver.errors import Refused
from receiver.running import Running, running
from transport.enrolment_proof import IDENTITIES_A_DAY

_Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}\z")]
_Signature = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}\z")]
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\z"


class EnrolmentRequest(BaseModel):
    """The body of POST /v1/enrolments."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{52}\z")]
    device: _Key
    signature: _Signature


class RegistrationRequest(BaseModel):
    """The body of POST /v1/registrations."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: _Key
    day: Annotated[str, StringConstraints(pattern=_DAY)]
    pseudonyms: Annotated[list[_Key], Field(min_length=IDENTITIES_A_DAY, max_length=IDENTITIES_A_DAY)]
    signature: _Signature


async def post_enrolment(request: Request) -> Response:
    """Lets a device in: 201 now, 200 it was."""
    here = running(request)
    asked = await bodies.read_json(request, EnrolmentRequest, here.site.settings.upload_deadline_s)
    new = await here.writer.alone(lambda: _enrol(here, asked))
    return JSONResponse({"identities_a_day": IDENTITIES_A_DAY}, 201 if new else 200)


async def post_registration(request: Request) -> Response:
    """Registers a day's identities: 201 now, 200 these were, 409 others were."""
    here = running(request)
    asked = await bodies.read_json(request, RegistrationRequest, here.site.settings.upload_deadline_s)
    new = await here.writer.alone(lambda: _register(here, asked))
    return JSONResponse({"day": asked.day, "identities": IDENTITIES_A_DAY}, 201 if new else 200)


def _enrol(here: Running, asked: EnrolmentRequest) -> bool:
    device, today = bytes.fromhex(asked.device), here.now().date()
    with here.depot.writing() as connection:
        token = fleet_rows.token_of(connection, token_digest(asked.token))
        good = let_in(token, today, text=asked.token, device=device, signature=bytes.fromhex(asked.signature))
        return fleet_rows.enrol(connection, device, good.id, today)


def _register(here: Running, asked: RegistrationRequest) -> bool:
    device, pseudonyms = bytes.fromhex(asked.device), [bytes.fromhex(each) for each in asked.pseudonyms]
    day = _day(asked.day)
    check_registration(
        device=device,
        day=day,
        pseudonyms=asked.pseudonyms,
        signature=bytes.fromhex(asked.signature),
        today=here.now().date(),
        late_days=here.site.settings.late_days,
    )
    with here.depot.writing() as connection:
        if not fleet_rows.is_enrolled(connection, device):
            raise Refused(403, "this device is not enrolled", "enrol it with a fleet token")
        if not fleet_rows.registered(connection, device, day):
            fleet_rows.register(connection, device, day, pseudonyms)
            return True
        if len(fleet_rows.known(connection, pseudonyms)) < len(pseudonyms):
            raise Refused(409, "this device registered others for this day", "seal again tomorrow")
    return False


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(422, "this is no day", "send the UTC day as YYYY-MM-DD") from None


ROUTES = [
    Route("/v1/enrolments", post_enrolment, methods=["POST"]),
    Route("/v1/registrations", post_registration, methods=["POST"]),
]
