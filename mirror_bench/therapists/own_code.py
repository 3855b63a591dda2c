"""Therapists of a user's own: `python/module:attribute`, loaded with the current folder on the path."""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from mirror_bench.errors import InputError, OwnCodeError, told
from mirror_bench.faces.base import Face
from mirror_bench.schema import Scenario
from mirror_bench.therapists.base import TherapistTurn
from mirror_bench.therapists.reply_cleaning import clean_reply
from mirror_bench.therapists.source_digest import digest_of_object, source_digest

EXPECTED = (
    "expected is a callable reply(words, image) -> str, an object with such a method, or a class or function "
    "that makes such an object and takes no arguments (docs/agents.md)"
)


@dataclass
class OwnCode:
    """A therapist in the user's own code, named `module:attribute`, with the digest of its source.

    Attributes:
        name: As given.
        make: Returns what answers in one session: a new object where the attribute is a class.
        sees: Whether it looks at faces (`sees = False` on a class or object says that it does not).
        digest: Of its source, and of the modules beside it that it imports.
        answered: Whether it has answered with text in this process.
    """

    name: str
    make: Callable[[], Callable[..., Any]]
    sees: bool
    digest: str
    answered: bool = False

    @functools.cached_property
    def calls(self) -> OwnThread:
        """Where code that is not async runs: one call at a time, so that it need not be safe for threads."""
        return OwnThread()


class OwnThread:
    """Makes calls one after the other in a thread for which nobody waits when a run is stopped."""

    def __init__(self) -> None:
        self._due: SimpleQueue[_Call | None] = SimpleQueue()
        threading.Thread(target=_make_calls, args=(self._due,), name="therapist", daemon=True).start()
        weakref.finalize(self, self._due.put, None)

    def call(self, what: Callable[[], Any]) -> Future[Any]:
        """Returns what a call will have given once its turn has come."""
        future: Future[Any] = Future()
        self._due.put((future, what))
        return future


_Call = tuple[Future[Any], Callable[[], Any]]


def _make_calls(due: SimpleQueue[_Call | None]) -> None:
    """Makes the calls of a queue until it holds None."""
    while (call := due.get()) is not None:
        future, what = call
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(what())
            except (StopIteration, GeneratorExit, asyncio.CancelledError) as error:
                # Raised into a coroutine, these would mean something else than that the code failed.
                future.set_exception(OwnCodeError(told(error)))
            except BaseException as error:
                future.set_exception(error)
        del call, future, what  # the thread outlives the call, and must not keep its therapist


@functools.cache
def load_own_code(name: str) -> OwnCode:
    """Returns the therapist in the user's code that `module:attribute` names.

    Args:
        name: `module:attribute`; either may have dots.

    Raises:
        InputError: If it cannot be imported, there is no such attribute or it has another shape, saying what
            was expected.
    """
    where = f"--therapist python/{name}"
    module_name, colon, attribute = name.partition(":")
    if not (colon and module_name and attribute):
        raise InputError(f"{where}: write python/module:attribute, such as python/my_therapist:reply")
    if module_name.endswith(".py"):
        file = Path(module_name).with_suffix("")
        module = ".".join(file.parts[-1:] if file.is_absolute() else file.parts)
        raise InputError(f"{where}: name the module, not its file: python/{module}:{attribute}")
    root = Path.cwd()
    module = _import(module_name, root, where)
    named: Any = module
    for part in attribute.split("."):
        try:
            named = getattr(named, part)
        except AttributeError:
            known = sorted(key for key, value in vars(module).items() if callable(value) and key[0] != "_")
            raise InputError(
                f"{where}: {module_name} has no {part!r}: it has {', '.join(known[:20]) or 'nothing to call'}"
            ) from None
    make = _maker(named, where)
    source = Path(module.__file__ or "")
    inside = source.resolve().is_relative_to(root.resolve()) and "site-packages" not in source.parts
    top = "" if inside else module_name.partition(".")[0]
    folder = root if inside else source.parents[module_name.count(".") + (source.name == "__init__.py")]
    return OwnCode(name, make, bool(getattr(named, "sees", True)), source_digest(source, folder, top))


def own_code_of(therapist: Any) -> OwnCode:
    """Returns an object, function, factory or class of the caller's as a therapist.

    Raises:
        InputError: If it has another shape, saying what was expected.
    """
    kind = therapist
    while isinstance(kind, functools.partial):
        kind = kind.func
    if not hasattr(kind, "__qualname__"):
        kind = type(kind)
    plain = str(kind.__qualname__).replace("<locals>.", "").replace("<lambda>", "lambda")
    name = f"{kind.__module__ or '__main__'}:{plain}"
    sees = bool(getattr(therapist, "sees", True))
    return OwnCode(name, _maker(therapist, "therapist"), sees, digest_of_object(kind))


def _import(name: str, root: Path, where: str) -> Any:
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise InputError(
                f"{where}: there is no module {error.name} in {root} or among the installed packages: run "
                "the command in the folder that holds it, or install it"
            ) from None
        raise InputError(f"{where}: cannot be imported: {told(error)}: install what it needs") from None
    except (Exception, SystemExit) as error:
        raise InputError(f"{where}: cannot be imported: {told(error)}") from None


def _maker(named: Any, where: str) -> Callable[[], Callable[..., Any]]:
    if inspect.isclass(named):
        try:
            inspect.signature(named).bind()
        except TypeError as error:
            raise InputError(
                f"{where}: the class cannot be made without arguments ({error}): {EXPECTED}"
            ) from None
        except ValueError:
            pass  # made in C: nothing is known of its arguments
        name = next((name for name in ("reply", "__call__") if _has(named, name)), "")
        if not name:
            raise InputError(f"{where}: the class has no method reply: {EXPECTED}")
        bound = isinstance(inspect.getattr_static(named, name), staticmethod | classmethod)
        _check_arguments(getattr(named, name), where, 2 if bound else 3)
        return lambda: _answering(named(), where)
    if _is_factory(named):
        return lambda: _answering(named(), where)
    answering = _answering(named, where)
    _check_arguments(answering, where, 2)
    return lambda: answering


def _is_factory(named: Any) -> bool:
    """Whether a function makes a therapist rather than answering: it takes nothing."""
    if hasattr(named, "reply") or not callable(named):
        return False
    try:
        inspect.signature(named).bind()
        return True
    except (TypeError, ValueError):
        return False


def _has(kind: type, name: str) -> bool:
    return any(name in vars(base) for base in kind.__mro__ if base is not object)


def _answering(made: Any, where: str) -> Callable[..., Any]:
    answering = getattr(made, "reply", made)
    if not callable(answering):
        raise InputError(f"{where}: is a {type(made).__name__}: {EXPECTED}")
    return answering  # type: ignore[no-any-return]


def _check_arguments(answering: Callable[..., Any], where: str, count: int) -> None:
    try:
        inspect.signature(answering).bind(*[None] * count)
    except TypeError as error:
        raise InputError(f"{where}: does not take (words, image) ({error}): {EXPECTED}") from None
    except ValueError:
        pass


class OwnTherapist:
    """A therapist of one session that the user's own code answers for."""

    plan = ("", "")

    def __init__(self, code: OwnCode, scenario: Scenario) -> None:
        self._code = code
        self._client = scenario.profile.name
        self._reply = code.make()
        self._is_async = inspect.iscoroutinefunction(self._reply) or inspect.iscoroutinefunction(
            type(self._reply).__call__
        )

    @property
    def sees(self) -> bool:
        """Whether it looks at faces."""
        return self._code.sees

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Answers the client's words and the face, as a PNG's bytes or None.

        What it says is cleaned as a model's answer is.

        Raises:
            InputError: If the first answer of all is no text: so will be the others.
            OwnCodeError: If a later one is none.
        """
        said = await self._ask(heard, face.png if face is not None else None)
        if not isinstance(said, str):
            problem = f"python/{self._code.name}: answered with {type(said).__name__}, not with str"
            raise OwnCodeError(problem) if self._code.answered else InputError(f"{problem}: {EXPECTED}")
        self._code.answered = True
        words, removed = clean_reply(said, self._client)
        return TherapistTurn(words, said if said.strip() != words else "", removed)

    async def _ask(self, heard: str, image: bytes | None) -> Any:
        try:
            if self._is_async:
                return await self._reply(heard, image)
            asked = self._code.calls.call(functools.partial(self._reply, heard, image))
            said = await asyncio.wrap_future(asked)
            return await said if inspect.isawaitable(said) else said
        except SystemExit as error:  # would end the whole run
            raise OwnCodeError(told(error)) from None
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise  # the run is being stopped
            raise OwnCodeError(told(error)) from None
