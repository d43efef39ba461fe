"""Errors as ``application/problem+json`` with a stable code and without echoing what was sent."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from starlette.exceptions import HTTPException

log = logging.getLogger(__name__)

_CODE_OF_STATUS = {
    400: "bad_request",
    401: "signed_out",
    403: "forbidden",
    404: "not_found",
    405: "bad_request",
    413: "too_large",
}


class ProblemBody(BaseModel):
    """Body of every error."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str


class Problem(HTTPException):
    """An answer that is an error.

    ``keep`` commits what the request has written so far (a wrong password is counted), else it is rolled back.
    ``extra`` adds fields to the body.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str = "",
        *,
        keep: bool = False,
        extra: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.code = code
        self.keep = keep
        self.extra = extra or {}


def bad_request(detail: str) -> Problem:
    return Problem(400, "bad_request", detail)


def forbidden(detail: str = "Your role or team does not allow this.") -> Problem:
    return Problem(403, "forbidden", detail)


def not_found(what: str) -> Problem:
    return Problem(404, "not_found", f"There is no such {what}.")


def problem_response(
    status: int,
    code: str,
    detail: str,
    extra: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    body = ProblemBody(title=HTTPStatus(status).phrase, status=status, code=code, detail=detail)
    return JSONResponse(
        {**body.model_dump(), **(extra or {})},
        status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        media_type="application/problem+json",
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of ``app`` as problem+json."""
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _validation_problem)
    app.add_exception_handler(DataError, _data_problem)
    app.add_exception_handler(IntegrityError, _race_problem)
    app.add_exception_handler(OperationalError, _database_problem)
    app.add_exception_handler(Exception, _unexpected_problem)


async def _http_problem(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Problem):
        headers = dict(error.headers) if error.headers else None
        return problem_response(error.status_code, error.code, error.detail, error.extra, headers)
    assert isinstance(error, HTTPException)
    code = _CODE_OF_STATUS.get(error.status_code, "bad_request")
    return problem_response(error.status_code, code, HTTPStatus(error.status_code).phrase)


async def _validation_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"where": ".".join(str(part) for part in e["loc"])[:120], "problem": str(e["type"])}
        for e in error.errors()[:20]
    ]
    detail = f"{errors[0]['where']}: {errors[0]['problem']}" if errors else "The request cannot be understood."
    return problem_response(400, "bad_request", detail, {"errors": errors})


async def _data_problem(_: Request, error: Exception) -> JSONResponse:
    return problem_response(400, "bad_request", "A value cannot be kept.")


async def _race_problem(_: Request, error: Exception) -> JSONResponse:
    return problem_response(409, "conflict", "Another request did the same at the same moment; try again.")


async def _database_problem(_: Request, error: Exception) -> JSONResponse:
    # The statement's parameters can be personal data: only the kind of error is logged.
    log.error("database: %s", type(getattr(error, "orig", error)).__name__)
    return problem_response(
        503, "server_error", "The database is busy or away; try again.", headers={"Retry-After": "2"}
    )


async def _unexpected_problem(_: Request, error: Exception) -> JSONResponse:
    return problem_response(500, "server_error", "Something went wrong in the server.")
