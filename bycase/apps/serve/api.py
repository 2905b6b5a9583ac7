"""The HTTP API: the page's predictions for programs."""

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, File, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser

from bycase.apps.serve.guard import LOOPBACK, Guard
from bycase.apps.serve.inference_service import ImageResult, InferenceService, data_uri, name_image
from bycase.apps.serve.limits import Rate, RefusedError
from bycase.apps.serve.schema import NOTICE, Message, Model, Prediction, PredictResponse, Problem, UnreadImage

DESCRIPTION = (
    f"**{NOTICE}.** Images are held in memory while they are predicted, and neither kept nor logged; "
    "file names and metadata are never repeated."
)
METHODS = {"predict": "POST", "model": "GET"}
REFUSALS = {
    400: "the body is not a form, or incomplete",
    403: "asked by another page",
    408: "not received in time",
    413: "too many bytes, pixels or images",
    421: "addressed by another host name",
    422: "no image could be read, or a field is not valid",
    429: "too many requests a minute",
    503: "too many requests at once",
}


def make_app(service: InferenceService, rate: Rate, hosts: tuple[str, ...] | None = LOOPBACK) -> FastAPI:
    """The API with its guard: ``POST /api/predict``, ``GET /api/model``, ``GET /healthz``, ``GET /openapi.json``.

    `hosts` are the names under which the server may be addressed; None for any.
    """
    # Uploads stay in memory: Starlette and NiceGUI write larger ones than this to the disk.
    MultiPartParser.spool_max_size = service.limits.request_bytes + 1
    # FastAPI's pages about the API load their scripts from a network address.
    app = FastAPI(title="Cancer-image classifier", description=DESCRIPTION, docs_url=None, redoc_url=None)
    for kind in (RefusedError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _refuse)
    app.include_router(_make_router(service))
    app.add_middleware(Guard, limits=service.limits, rate=rate, hosts=hosts)
    return app


def _make_router(service: InferenceService) -> APIRouter:
    router = APIRouter()
    problems: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": text} for status, text in REFUSALS.items()
    }

    @router.post("/api/predict", responses=problems, summary="Classify images")
    async def predict(
        images: Annotated[
            list[UploadFile], File(description=f"JPEG, PNG, GIF, TIFF, BMP or WebP; {service.limits.words}")
        ],
        heatmaps: Annotated[bool, Query(description="whether to send where the network looked")] = False,
    ) -> PredictResponse:
        contents = [await image.read() for image in images]
        results = await service.predict(contents, heatmaps)
        refused = [each for each in results if isinstance(each, RefusedError)]
        if len(refused) == len(results):
            raise refused[0]
        return PredictResponse(
            answers=[_with_heatmap(each) for each in results if isinstance(each, ImageResult)],
            unanswered=[
                UnreadImage(image=name_image(number), error=Message(code=each.code, message=each.message))
                for number, each in enumerate(results, 1)
                if isinstance(each, RefusedError)
            ],
        )

    @router.get("/api/model", summary="The network that predicts")
    async def model() -> Model:
        return service.model

    @router.get("/healthz", summary="Whether the server is up")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @router.api_route("/api/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
    async def elsewhere(rest: str) -> None:
        if rest in METHODS:
            raise HTTPException(405, headers={"Allow": METHODS[rest]})
        raise RefusedError(404, "unknown_address", "there is POST /api/predict and GET /api/model; see /openapi.json")

    return router


def _with_heatmap(result: ImageResult) -> Prediction:
    if result.heatmap is None:
        return result.prediction
    return result.prediction.model_copy(update={"heatmap": data_uri(result.heatmap)})


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    """Every mistake in this API's own form; FastAPI's own would repeat what was sent."""
    headers = None
    if isinstance(error, RefusedError):
        refused = error
    elif isinstance(error, RequestValidationError):
        fields = {str(each["loc"][1]) for each in error.errors() if len(each["loc"]) > 1}
        known = ", ".join(sorted(fields & {"images", "heatmaps"})) or "the body"
        refused = RefusedError(422, "invalid", f"{known}: missing or not valid; see /openapi.json")
    else:
        assert isinstance(error, HTTPException)
        messages = {400: "the body is not a form with files; see /openapi.json", 404: "no such address"}
        text = messages.get(error.status_code, "not possible here; see /openapi.json")
        refused, headers = RefusedError(error.status_code, "not_possible", text), dict(error.headers or {})
    return JSONResponse(refused.body, refused.status, headers)
