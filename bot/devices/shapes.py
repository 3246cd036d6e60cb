"""What vendors send and are answered: the shapes, how they are read, and the OpenAPI document made from them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.json_schema import models_json_schema

from scheduler.devices import Sent

PATH = "/devices/alarms"
MOST_BYTES = 256 * 1024
MOST_ALARMS = 200  # in one batch
MOST_ERRORS = 10  # told of one alarm
LENGTH = 80  # characters of what is repeated to the sender

FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
NAME = r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$"


def _in_our_time(at: datetime) -> datetime:
    if not FIRST <= at < LAST:
        raise ValueError("must lie between 2020 and 2100")
    return at


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Place(_Shape):
    """Where the device is, in degrees (WGS-84)."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class _Alarm(_Shape):
    event_id: str = Field(pattern=NAME, max_length=64, description="Yours, unique among all that you ever send.")
    serial: str = Field(pattern=NAME, max_length=64, description="The device's serial number; capitals do not matter.")
    at: Annotated[AwareDatetime, AfterValidator(_in_our_time)] = Field(
        description="When it happened: RFC 3339 with an offset, such as 2026-11-24T08:30:00+08:00.")


class Help(_Alarm):
    """Somebody pressed the button, or fell; smoke or gas was found. Always an alert."""

    kind: Literal["call_button", "fall", "smoke", "gas"]
    place: Place | None = None


class Unused(_Alarm):
    """No water, or no power, was used for so many hours."""

    kind: Literal["water_unused", "power_unused"]
    hours: int = Field(ge=0, le=2160)


class HeartRate(_Alarm):
    """A heart rate that the device finds worth telling."""

    kind: Literal["heart_rate"]
    per_minute: int = Field(ge=0, le=400)


class LeftHome(_Alarm):
    """The wearer left the area that was set for him."""

    kind: Literal["left_home"]
    place: Place | None = None


class Offline(_Alarm):
    """Nothing was heard of the device for so many hours."""

    kind: Literal["offline"]
    hours: int = Field(ge=0, le=2160)


class BatteryLow(_Alarm):
    """The battery should be changed or charged."""

    kind: Literal["battery_low"]
    percent: int = Field(ge=0, le=100)


Alarm = Help | Unused | HeartRate | LeftHome | Offline | BatteryLow
ALARMS = (Help, Unused, HeartRate, LeftHome, Offline, BatteryLow)
_ONE: TypeAdapter[Alarm] = TypeAdapter(Annotated[Alarm, Field(discriminator="kind")])


class Wrong(_Shape):
    """One thing that is wrong, and where."""

    where: str
    what: str


class Result(_Shape):
    """What became of one alarm. `event_id` is null where it could not be read.

    `alert`: people were told, and `number` is what they call it; `check_in`: somebody is asked to call; `note`: listed;
    `unknown_device`: kept, and shown to the operator, until the serial number is bound to somebody; `refused`: nothing
    of it was kept.
    """

    event_id: str | None
    result: Literal["alert", "check_in", "note", "unknown_device", "refused"]
    number: str | None = None
    errors: tuple[Wrong, ...] = ()


class Answer(_Shape):
    """A result for each alarm, in the order in which they came; or why the whole was not read (`errors`)."""

    results: tuple[Result, ...] = ()
    errors: tuple[Wrong, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable(Exception):
    """The body is no alarm and no batch. `status` is 400, 413 or 422."""

    status: int
    errors: tuple[Wrong, ...]


def read(body: bytes) -> list[Sent | Result]:
    """One alarm, or the batch `{"alarms": […]}`; of each what was sent, or why it is refused. Raises Unreadable."""
    if len(body) > MOST_BYTES:
        raise Unreadable(413, (Wrong(where="body", what=f"must be at most {MOST_BYTES} bytes"),))
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Unreadable(400, (Wrong(where=where, what="is not valid JSON in UTF-8"),)) from None
    if not isinstance(found, dict):
        raise Unreadable(422, (Wrong(where="body", what='must be one alarm, or {"alarms": [...]}'),))
    if "alarms" not in found:
        return [_read(found)]
    alarms = found["alarms"]
    if len(found) > 1:
        raise Unreadable(422, (Wrong(where="body", what="must hold nothing beside alarms"),))
    if not isinstance(alarms, list) or not 1 <= len(alarms) <= MOST_ALARMS:
        raise Unreadable(422, (Wrong(where="alarms", what=f"must be a list of 1 to {MOST_ALARMS} alarms"),))
    return [_read(each) for each in alarms]


def _read(found: Any) -> Sent | Result:
    try:
        alarm = _ONE.validate_json(orjson.dumps(found))  # read as JSON: only there is a text a time in strict mode
    except ValidationError as error:
        wrong = tuple(Wrong(where=".".join(map(str, each["loc"][1:] or each["loc"]))[:LENGTH] or "alarm",
                            what=each["msg"][:LENGTH * 4])
                      for each in error.errors(include_url=False, include_input=False, include_context=False))
        return Result(event_id=_called(found), result="refused", errors=wrong[:MOST_ERRORS])
    return _sent(alarm)


def _called(found: Any) -> str | None:
    name = found.get("event_id") if isinstance(found, dict) else None
    return name[:LENGTH] if isinstance(name, str) else None


def _sent(alarm: Alarm) -> Sent:
    measured = alarm.model_dump(exclude={"event_id", "serial", "kind", "at"}, exclude_none=True)
    number = next((value for value in measured.values() if isinstance(value, int)), None)
    return Sent(alarm.event_id, alarm.serial, alarm.kind, alarm.at, number, measured)


def openapi(public: str) -> dict[str, Any]:
    """The document for vendors, as OpenAPI 3.1."""
    _, schemas = models_json_schema([(each, "validation") for each in (*ALARMS, Result, Answer)],
                                    ref_template="#/components/schemas/{model}")
    schemas = schemas["$defs"]
    refs = {each: f"#/components/schemas/{each.__name__}" for each in ALARMS}
    kinds = {kind: ref for each, ref in refs.items() for kind in get_args(each.model_fields["kind"].annotation)}
    one = {"oneOf": [{"$ref": ref} for ref in refs.values()],
           "discriminator": {"propertyName": "kind", "mapping": kinds}}
    batch = {"type": "object", "required": ["alarms"], "additionalProperties": False, "properties": {
        "alarms": {"type": "array", "minItems": 1, "maxItems": MOST_ALARMS,
                   "items": {"$ref": "#/components/schemas/Alarm"}}}}
    said = {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}
    answers = {
        "200": "Every alarm is kept, now or before.", "207": "Some are kept; those that are `refused` are not.",
        "400": "Not JSON. Nothing is kept.", "401": "The token is missing, wrong or revoked. Nothing is kept.",
        "413": f"More than {MOST_BYTES} bytes. Nothing is kept.", "422": "No alarm could be read. Nothing is kept.",
        "503": "Not everything could be kept: send it again after the seconds in Retry-After."}
    return {
        "openapi": "3.1.0",
        "info": {"title": "tanfang: alarms of devices", "version": "1",
                 "description": "Send again until you are answered: the same event_id is kept once, and answered the "
                                "same. An answer means that it is on disk."},
        "servers": [{"url": public}],
        "paths": {PATH: {"post": {
            "operationId": "send", "summary": "One alarm, or a batch", "security": [{"token": []}],
            "requestBody": {"required": True, "content": {"application/json": {"schema": {"oneOf": [
                {"$ref": "#/components/schemas/Alarm"}, {"$ref": "#/components/schemas/Batch"}]}}}},
            "responses": {status: {"description": what, "content": said} for status, what in answers.items()}}}},
        "components": {"schemas": {**schemas, "Alarm": one, "Batch": batch},
                       "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}}
