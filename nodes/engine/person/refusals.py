"""The sentences with which the store refuses: what is wrong and what to do, without names and without paths."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .folder_lock import LockedError
from .keys import DamagedError
from .receipt import ConsentError

TOO_FEW = "Too few pictures were sharp and bright enough; please sit closer, with light on your face, and try again."
UNKNOWN = "This person is not known here; choose another one, or verify first."
ENDED = {"withdrawn": "This person has withdrawn their consent.", "expired": "This consent has run out; please verify again."}
DAMAGED = "The consent records were damaged after this consent was given; please verify again."


@contextmanager
def plain_refusals() -> Iterator[None]:
    """What goes wrong with disk, locks, keys or packages becomes a ConsentError."""
    try:
        yield
    except ModuleNotFoundError as error:
        text = f"The Python package {error.name} is missing; install this pack's requirements.txt with ComfyUI's Python."
        raise ConsentError("missing_package", text) from None
    except DamagedError as error:
        raise ConsentError("changed", str(error)) from None
    except LockedError as error:
        raise ConsentError("busy", str(error)) from None
    except OSError as error:
        text = f"The consent records cannot be read or written ({error.strerror}); see to that disk, then try again."
        raise ConsentError("no_storage", text) from None


def require_packages() -> None:
    """ModuleNotFoundError where one of the packages is missing that a verification needs."""
    import cryptography  # noqa: F401
    import cv2  # noqa: F401
