"""The OpenAPI 3.1 document of the REST API, made from the table of its operations."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import version
from typing import Any

from maedal.merchants.errors import AddressNotAllowed, ScopeMissing, TooManyRequests
from maedal.merchants.scope import Scope
from maedal.rest.api_document.operation import Operation
from maedal.rest.api_document.operations import OPERATIONS
from maedal.rest.api_document.plan_schemas import PLAN_SCHEMAS
from maedal.rest.api_document.schemas import NAMED, Schema, refused, success
from maedal.rest.api_document.words import Language, Words, in_language, words_of
from maedal.rest.decoding import BODY_BYTES_MAX
from maedal.rest.errors import NO_DATABASE, SERVER_ERROR, WIRE, ApiRefusal, too_large_text, unauthorized
from maedal.rest.idempotency import KEY_MAX, REFUSALS
from maedal.rest.scopes import NEEDED
from maedal.rest.users import TOKEN_BODY_BYTES_MAX, get_token

ABOUT = Words(
    "iamport / PortOne V1 REST API와 호환되는 자체 운영 결제 게이트웨이입니다.\n\n"
    "* 모든 답은 `code`, `message`, `response` 세 가지입니다. **`code`가 0이 아니면 "
    "처리되지 않은 것**이고 `message`에 이유가 있습니다. HTTP 상태만 보지 마세요.\n"
    "* `POST /users/getToken`으로 토큰을 받아 `Authorization` 헤더에 넣습니다. "
    "이 화면에서 받은 토큰은 바로 적용됩니다.\n"
    "* 본문은 JSON 또는 form입니다. `null`과 빈 문자열은 없는 것으로, "
    "숫자 문자열은 숫자로 받습니다. 모르는 파라메터는 무시합니다.\n"
    "* 시각은 UNIX 초, 금액은 원 단위 정수입니다.\n"
    "* 없는 주소는 HTTP 404, 지원하지 않는 메소드는 405이며 답의 모양은 같습니다.",
    "A self-hosted payment gateway that is compatible with the REST API of iamport / PortOne V1.\n\n"
    "* Every answer has `code`, `message` and `response`. **A `code` other than 0 means that nothing was done**, and "
    "`message` says why. Do not look at the HTTP status alone.\n"
    "* `POST /users/getToken` gives the token for the `Authorization` header. A token that you get on this page "
    "is used at once.\n"
    "* Bodies are JSON or forms. `null` and empty texts count as absent, digits in quotes as numbers; unknown "
    "parameters are ignored.\n"
    "* Times are Unix seconds, amounts whole won.\n"
    "* Unknown addresses are HTTP 404 and wrong methods 405, in the same shape.",
)
TAGS = {
    "users": Words("토큰과 채널", "Token and channels"),
    "payments": Words("결제 조회, 취소, 사전등록", "Reading and cancelling payments, registered amounts"),
    "billing keys": Words("빌링키와 빌링키 결제", "Billing keys and their charges"),
    "schedules": Words("결제예약", "Scheduled charges"),
    "plans": Words("정기결제와 공휴일 (maedal 고유)", "Plans and holidays (maedal's own)"),
    "codes": Words("카드사와 은행 코드", "Codes of card companies and banks"),
    "other PGs": Words("카카오페이에 없는 기능", "What KakaoPay does not have"),
}
SECURITY: dict[str, Schema] = {
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": Words("토큰 그대로, 또는 `Bearer 토큰`", "The token alone, or `Bearer` and the token"),
    },
    "imp_token": {
        "type": "apiKey",
        "in": "header",
        "name": "X-ImpTokenHeader",
        "description": Words("예전 클라이언트가 쓰는 헤더", "The header of old clients"),
    },
    "query_token": {
        "type": "apiKey",
        "in": "query",
        "name": "_token",
        "description": Words("예전 클라이언트가 쓰는 파라메터", "The parameter of old clients"),
    },
}
BROKEN = (ApiRefusal(500, -1, SERVER_ERROR), ApiRefusal(503, -1, NO_DATABASE))
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": Words(
        "같은 키와 내용으로 다시 보내면 한 번만 처리하고 같은 응답을 줍니다(30일). 다른 내용이면 422, 처음 요청이 아직 "
        "처리 중이면 기다린 뒤 409",
        "Sent again with the same key and body, the call is carried out once and answered alike (30 days). Another "
        "body is refused with 422, and while the first is still running, after a wait, with 409",
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX},
    "example": "6f2b3c1e-2026-11",
}
STATUS_WORDS = {
    200: Words("code 0은 처리됨, 그 밖은 거절됨", "Code 0: carried out; any other: refused"),
    207: Words("일부만 찾음", "Only some were found"),
    400: Words("올바르지 않은 요청", "A request that cannot be meant"),
    401: Words(
        "토큰이 없거나 만료됨, 잘못된 API 키, 또는 허용되지 않은 IP",
        "No token, an expired one, a wrong API key, or an address that is not allowed",
    ),
    403: Words("API 키에 필요한 권한이 없음", "The API key lacks the scope"),
    429: Words("인증에 거듭 실패했거나 요청이 너무 많음", "Too many wrong secrets, or too many requests"),
    404: Words("없음", "Not found"),
    409: Words("같은 Idempotency-Key의 요청이 처리 중", "A request with this Idempotency-Key is being carried out"),
    422: Words("Idempotency-Key가 다른 내용에 쓰였음", "The Idempotency-Key was used for another body"),
    413: Words("본문이 너무 큼", "The body is too large"),
    500: Words("서버 오류", "An error of the server"),
    501: Words("지원하지 않음", "Not supported"),
    503: Words("데이터베이스를 쓸 수 없음", "The database cannot be used"),
}


@cache
def document(language: Language) -> dict[str, Any]:
    """Return the whole document in one language."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    tree = {
        "openapi": "3.1.0",
        "info": {
            "title": "maedal",
            "version": version("maedal"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "security": [{name: []} for name in SECURITY],
        "paths": paths,
        "components": {"schemas": NAMED | PLAN_SCHEMAS, "securitySchemes": SECURITY},
    }
    found: dict[str, Any] = in_language(tree, language)
    return found


def refusals_of(operation: Operation) -> dict[str, ApiRefusal]:
    """Return name → answer for every way in which a call can be refused; an error's name is that of its class."""
    found = {
        error.__name__: _on_paper(WIRE[error].status, WIRE[error].code, WIRE[error].text) for error in operation.errors
    }
    own = [_on_paper(refusal.status, refusal.code, refusal.message) for refusal in operation.refusals]
    found |= {f"refusal_{number}": refusal for number, refusal in enumerate(own, 1)}
    if not operation.public:
        found["Unauthorized"] = unauthorized()
        refused = WIRE[AddressNotAllowed]
        found["AddressNotAllowed"] = _on_paper(refused.status, refused.code, refused.text)
        scope = scope_of(operation)
        if scope is not None:
            lacking = WIRE[ScopeMissing]
            found["ScopeMissing"] = ApiRefusal(lacking.status, lacking.code, lacking.text.format(message=scope.value))
    limited = WIRE[TooManyRequests]
    found["TooManyRequests"] = _on_paper(limited.status, limited.code, limited.text)
    if operation.body is not None:
        bytes_max = TOKEN_BODY_BYTES_MAX if operation.handler is get_token else BODY_BYTES_MAX
        found["too_large"] = ApiRefusal(413, -1, too_large_text(bytes_max))
    if _may_be_repeated(operation):
        found |= {f"idempotency_{refusal.status}": refusal for refusal in REFUSALS}
    return found | {f"broken_{refusal.status}": refusal for refusal in BROKEN}


def scope_of(operation: Operation) -> Scope | None:
    """Return the scope that an API key needs for a call, if it needs any; a route may answer several addresses."""
    path = _shape(operation.path)
    fitting = {
        pattern: scope
        for (method, pattern), scope in NEEDED.items()
        if method == operation.method
        and (path == _shape(pattern) or (pattern.endswith("/{rest}") and path.startswith(pattern[: -len("{rest}")])))
    }
    return fitting[max(fitting, key=lambda pattern: (path == _shape(pattern), len(pattern)))]


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _may_be_repeated(operation: Operation) -> bool:
    """Return whether the call heeds `Idempotency-Key`: every POST does but that of the token."""
    return operation.method == "POST" and not operation.public


def _on_paper(status: int, code: int, text: str) -> ApiRefusal:
    return ApiRefusal(status, code, text.format(message="…"))


def _described(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.method.lower() + "".join(part.title() for part in _words_of(operation.path)),
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": [*operation.parameters, *([IDEMPOTENCY_KEY] if _may_be_repeated(operation) else [])],
        "responses": _responses(operation),
    }
    if operation.public:
        found["security"] = []
    elif (scope := scope_of(operation)) is not None:
        found["x-scope"] = scope.value
    if operation.body is not None:
        content = {"schema": operation.body, "example": operation.body_example}
        kinds = ("application/json", "application/x-www-form-urlencoded")
        found["requestBody"] = {"required": True, "content": dict.fromkeys(kinds, content)}
    return found


def _words_of(path: str) -> list[str]:
    return "".join(sign if sign.isalnum() else " " for sign in path).split()


def _responses(operation: Operation) -> dict[str, Any]:
    refusals = refusals_of(operation)
    done = () if operation.response is None else (200, 207) if operation.some_missing else (200,)
    statuses = sorted({*done, *(refusal.status for refusal in refusals.values())})
    return {str(status): _response(operation, status, refusals, carried_out=status in done) for status in statuses}


def _response(operation: Operation, status: int, refusals: dict[str, ApiRefusal], *, carried_out: bool) -> Schema:
    here = {name: refusal for name, refusal in refusals.items() if refusal.status == status}
    schemas: list[Schema] = []
    shown: dict[str, Any] = {}
    if carried_out and operation.response is not None:
        schemas.append(success(operation.response))
        for name, response in operation.examples.items():
            shown[name] = {"value": {"code": 0, "message": None, "response": response}}
    if here:
        schemas.append(refused(sorted({refusal.code for refusal in here.values()})))
        for name, refusal in here.items():
            words = words_of(refusal.message)
            shown[name] = {"summary": words, "value": {"code": refusal.code, "message": words, "response": None}}
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    return {
        "description": STATUS_WORDS[status],
        "content": {"application/json": {"schema": schema, "examples": shown}},
    }
