"""The single-use page `/f/{token}`: for those whose channel carries no files, to bring a ledger or take a file away.

Opening it changes nothing. It asks for the six digits that stand in the chat; who gives them gets a cookie of this
page only, and may then use it once.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.channels.base import Now
from bot.exchange import is_spreadsheet
from bot.jobs import say_to
from bot.pages import html
from conversations.commands.exchange import held, look_through
from conversations.pages import PATH
from storage import accounts, files, jobs, pages
from storage.database import Store, Tx
from storage.files import MOST_BYTES, File
from storage.jobs import Asker
from storage.pages import VALID, Page

COOKIE = "page"
AROUND = 4096  # bytes that a browser puts around a file
TYPE = "application/octet-stream"


class TooLarge(Exception):
    """More came than is taken."""


class NoFile(Exception):
    """The form holds no file, or is no form."""


@dataclass(frozen=True, slots=True)
class _Desk:
    store: Store
    now: Now
    public: str
    hosts: frozenset[str]

    async def show(self, request: Request) -> Response:
        """What the link leads to now. Changes nothing."""
        token = request.path_params["token"]
        page, entered = await self._find(request)
        if page.state != "open":
            return _page(page.state)
        if page.kind == "download" and _takes_no_file(request):
            return _page("browser", kind=page.kind)
        if entered:
            return _page(page.kind, token)
        return _page("code", token, kind=page.kind) if page.left > 0 else _page("void")

    async def enter(self, request: Request) -> Response:
        """Takes the six digits."""
        if not self._own(request):
            return _page("elsewhere")
        token, code = request.path_params["token"], await html.field(request, "code") or ""
        page, _ = await self._find(request)
        if page.state != "open":
            return _page(page.state)
        now = self.now()
        grant = await self.store.run(lambda tx: pages.enter(tx, token, code, now))
        if grant is None:
            left = page.left - 1
            return _page("code", token, kind=page.kind, wrong="code", left=left) if left > 0 else _page("void")
        answer = RedirectResponse(f"{PATH}/{token}", 303)
        answer.set_cookie(COOKIE, grant, max_age=int(VALID.total_seconds()), path=f"{PATH}/{token}", httponly=True,
                          samesite="strict", secure=self.public.startswith("https:"))
        return html.closed(answer)

    async def file(self, request: Request) -> Response:
        """Takes the ledger, or gives the file: this uses the page up."""
        if not self._own(request):
            return _page("elsewhere")
        token = request.path_params["token"]
        page, entered = await self._find(request)
        if page.state != "open":
            return _page(page.state)
        if not entered:
            return _page("code", token, kind=page.kind) if page.left > 0 else _page("void")
        return await (self._upload(request, page) if page.kind == "upload" else self._download(request, page))

    async def _upload(self, request: Request, page: Page) -> Response:
        token = request.path_params["token"]
        try:
            body = await _uploaded(request)
        except TooLarge:
            return _page("upload", token, wrong="large", status=413)
        except (NoFile, MultipartParseError):
            return _page("upload", token, wrong="none", status=422)
        if not is_spreadsheet(body):
            return _page("upload", token, wrong="kind" if body else "none", status=415)
        now = self.now()

        def work(tx: Tx) -> str:
            where, tops = accounts.reached(tx, page.person_id), held(tx, page.person_id)
            if where is None or not tops:
                return "void"
            if jobs.under_way(tx, page.person_id) is not None:
                return "busy"
            if not pages.use(tx, token, now):
                return "used"
            file = files.add(tx, "ledger", page.person_id, "", body, now)
            tx.note(now, page.person_id, "page.uploaded", file)
            asker = Asker(page.person_id, *where)
            say_to(tx, asker, look_through(tx, asker, {"file": file}, now), now)
            return "taken"

        what = await self.store.run(work)
        return _page("upload", token, wrong="busy", status=409) if what == "busy" else _page(what)

    async def _download(self, request: Request, page: Page) -> Response:
        if _takes_no_file(request):
            return _page("browser", kind=page.kind)
        token, now = request.path_params["token"], self.now()

        def work(tx: Tx) -> File | str:
            found = files.find(tx, page.person_id, page.file_id, now)
            if found is None:
                return "gone"
            if not pages.use(tx, token, now):
                return "used"
            tx.note(now, page.person_id, "page.downloaded", found.id)
            return found

        found = await self.store.run(work)
        if isinstance(found, str):
            return _page(found)
        return html.closed(Response(found.body, media_type=TYPE, headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"}))

    async def _find(self, request: Request) -> tuple[Page, bool]:
        token, grant, now = request.path_params["token"], request.cookies.get(COOKIE, ""), self.now()
        page, entered = await self.store.read(
            lambda tx: (pages.find(tx, token, now), bool(grant) and pages.entered(tx, token, grant)))
        return (page, entered) if page.kind in ("upload", "download") else (Page("unknown"), False)

    def _own(self, request: Request) -> bool:
        return html.own(request, self.public, self.hosts)


def build_routes(store: Store, now: Now, public: str, hosts: frozenset[str]) -> list[Route]:
    """The page's routes. `public`: the address under which people reach it; `hosts`: the names it may be asked for."""
    desk = _Desk(store, now, public, hosts)
    return [Route(PATH + "/{token}", html.safely(desk.show), methods=["GET"]),
            Route(PATH + "/{token}", html.safely(desk.enter), methods=["POST"]),
            Route(PATH + "/{token}/file", html.safely(desk.file), methods=["POST"])]


def _page(show: str, token: str = "", *, kind: str = "", wrong: str = "", left: int = 0, status: int = 0) -> Response:
    return html.page(show, token, path=PATH, kind=kind, wrong=wrong, left=left, status=status)


def _takes_no_file(request: Request) -> bool:
    """WeChat's own browser on a phone: it asks for the file once more, without the form, and shows nothing of it."""
    by = request.headers.get("user-agent", "").lower()
    return "micromessenger" in by and "mobile" in by and "wxwork" not in by


async def _uploaded(request: Request) -> bytes:
    """The file of the form. Raises TooLarge as soon as it is, NoFile, MultipartParseError."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise NoFile
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > MOST_BYTES + AROUND:
        raise TooLarge
    body, parts = bytearray(), [0]

    def data(chunk: bytes, start: int, end: int) -> None:
        if parts[0] == 1:  # the form has one part: the file
            body.extend(chunk[start:end])

    def begins() -> None:
        parts[0] += 1

    parser = MultipartParser(options[b"boundary"], {"on_part_begin": begins, "on_part_data": data})
    async for chunk in _limited(request):
        parser.write(chunk)
    parser.finalize()
    return bytes(body)


async def _limited(request: Request) -> AsyncIterator[bytes]:
    came = 0
    async for chunk in request.stream():
        came += len(chunk)
        if came > MOST_BYTES + AROUND:
            raise TooLarge
        yield chunk
