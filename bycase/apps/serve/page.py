"""The page: images in, predictions on cards, all from this computer."""

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from fastapi import FastAPI
from nicegui import context, events, ui
from PIL import Image

from bycase.apps.serve.examples import Example, draw_examples
from bycase.apps.serve.inference_service import ImageResult, InferenceService
from bycase.apps.serve.limits import Rate, RefusedError
from bycase.apps.serve.render import TEMPLATES, make_csv, render_about, render_prediction, shrink
from bycase.apps.serve.schema import NOTICE, Prediction
from bycase.tables.manifest import PREPROCESSED

SUFFIXES = ".jpg,.jpeg,.png,.gif,.tif,.tiff,.bmp,.webp,.avif,.jp2"
KINDS = "JPEG, PNG, GIF, TIFF, BMP, WebP, AVIF or JPEG 2000"
CSV = "predictions.csv"


def add_page(app: FastAPI, service: InferenceService, rate: Rate, layout: str, folder: Path = PREPROCESSED) -> None:
    """Mount the page at ``/`` of the API's application; once a process, since NiceGUI has one application.

    Parameters
    ----------
    app : FastAPI
        With the API's routes, which come first.
    service, rate
        The same as the API's; clicks on examples, which are no requests, count too.
    layout : str
        Of the data set that the network was trained on, whose phantom gives the examples.
    folder : Path
        Where the training images are shown from, if there.
    """
    examples = draw_examples(layout)

    @ui.page("/", title="Cancer-image classifier")
    def page() -> None:
        Page(service, rate, folder, examples)

    ui.run_with(app, dark=None, language="en-US", tailwind=False, show_welcome_message=False)


class Page:
    """What one browser tab shows; gone, with all predictions in it, when the tab is."""

    def __init__(self, service: InferenceService, rate: Rate, folder: Path, examples: Sequence[Example]) -> None:
        self._service, self._rate, self._folder = service, rate, folder
        self._predictions: list[Prediction] = []
        self._sent = 0
        ui.add_css((TEMPLATES / "style.css").read_text(encoding="utf-8"))
        with ui.header().classes("notice"):
            ui.label(NOTICE)
        ui.html(render_about(service.model), sanitize=False)
        self._add_upload()
        self._add_examples(examples)
        self._messages = ui.column().classes("messages").props('role="status" aria-live="polite"')
        self._add_tools()
        self._cards = ui.column().classes("messages")

    def _add_upload(self) -> None:
        limits = self._service.limits
        self._upload = (
            ui.upload(
                multiple=True,
                auto_upload=True,
                label="Drop images here, or choose them",
                max_file_size=limits.image_bytes,
                max_total_size=limits.request_bytes,
                max_files=limits.images,
                on_multi_upload=self._receive,
                on_rejected=self._reject,
            )
            .props(f'accept="{SUFFIXES}" flat no-thumbnails')
            .on("failed", self._failed, js_handler="(info) => emit(info.xhr.responseText)")
        )
        widget = f"getElement({self._upload.id}).$refs.qRef"
        # The browser forgets files itself, once it has the server's answer: told to before, it breaks off the upload.
        self._upload.on("finish", js_handler=f"() => {widget}.reset()")
        choose = ui.button("Choose images").props("no-caps outline").classes("choose")
        choose.on("click", js_handler=f"() => {widget}.pickFiles()")
        ui.label(f"{KINDS}; {limits.words}.").classes("hint")

    def _add_examples(self, examples: Sequence[Example]) -> None:
        ui.html("Or try a generated one:", sanitize=False).classes("hint")
        with ui.element("div").classes("examples"):
            for example in examples:
                with ui.button(on_click=lambda example=example: self._try(example)).props("flat no-caps"):
                    ui.html(f'<img src="{shrink(example.image)}" alt="">', sanitize=False)
                    ui.label(f"phantom: {example.name}")

    def _add_tools(self) -> None:
        with ui.element("div").classes("tools") as self._tools:
            ui.label("Heatmap")
            # The browser's own slider: NiceGUI's has its role on an element that the keyboard does not reach.
            turn = "(event) => document.documentElement.style.setProperty('--opacity', event.target.value)"
            slider = 'type=range min=0 max=1 step=0.05 value=0.5 aria-label="Opacity of the heatmap"'
            ui.element("input").props(slider).on("input", js_handler=turn)
            ui.button("Download CSV", on_click=self._download).props("no-caps outline")
            ui.button("Clear", on_click=self._clear).props("no-caps outline")
        self._tools.visible = False

    async def _receive(self, event: events.MultiUploadEventArguments) -> None:
        contents = [await file.read() for file in event.files]
        first, self._sent = self._sent + 1, self._sent + len(contents)
        await self._show(contents, first)

    async def _try(self, example: Example) -> None:
        try:
            client = context.client.ip
            self._rate.take(client or "")
        except RefusedError as refused:
            self._say(refused.message)
            return
        written = BytesIO()
        Image.fromarray(example.image).save(written, "PNG", compress_level=1)
        await self._show([written.getvalue()], 1, f"phantom: {example.name}")

    async def _show(self, contents: Sequence[bytes], first: int, title: str | None = None) -> None:
        """Prediction for files and put the predictions on top of those shown; numbered where there is no title."""
        self._messages.clear()
        with self._messages:
            ui.label(f"Looking at {len(contents)} image{'s' * (len(contents) > 1)} …")
        results: list[ImageResult | RefusedError]
        try:
            results = await self._service.predict(contents, True, first)
        except RefusedError as refused:
            results = [refused]
        if self._messages.is_deleted:  # the tab was closed meanwhile
            return
        self._messages.clear()
        shown = [each for each in results if isinstance(each, ImageResult)]
        with self._messages:
            ui.label(f"{len(shown)} of {len(contents)} predicted.")
        for each in results:
            if isinstance(each, RefusedError):
                self._say(each.message)
        for each in reversed(shown):
            self._add_card(each, title or each.prediction.image)
        self._tools.visible = bool(self._predictions)

    def _add_card(self, result: ImageResult, title: str) -> None:
        self._predictions.append(result.prediction.model_copy(update={"image": title}))
        with self._cards:
            card = ui.html(render_prediction(result, self._service.model, title, self._folder), sanitize=False)
            card.move(target_index=0)

    def _say(self, message: str) -> None:
        with self._messages:
            ui.label(message[:1].upper() + message[1:]).classes("alarm")

    def _reject(self) -> None:
        """Say that the browser has held files back; stays until closed, while the others are predicted."""
        words = f"One or more files were not sent: {KINDS} only, {self._service.limits.words}."
        ui.notify(words, type="warning", position="bottom", timeout=0, close_button="Close", multi_line=True)

    def _failed(self, event: events.GenericEventArguments) -> None:
        self._messages.clear()
        try:
            self._say(json.loads(event.args)["error"]["message"])
        except (TypeError, ValueError, KeyError):
            self._say("The server did not take the images; try again.")

    def _download(self) -> None:
        ui.download.content(make_csv(self._predictions), CSV, "text/csv")

    def _clear(self) -> None:
        self._predictions.clear()
        self._cards.clear()
        self._messages.clear()
        self._tools.visible = False
