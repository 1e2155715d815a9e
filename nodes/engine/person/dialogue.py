"""What a verification session and the page say to each other: the words, codes and sentences.

`Guidance` goes to the page after every frame; `ChallengeError` is a breach of the protocol (not of the person);
`REASONS` has one kind English sentence for every code. Nothing here ever carries a score, so that nobody can tune
an attack by it. Left and right are the person's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

ACTIONS: tuple[str, ...] = (
    "turn_left",
    "turn_right",
    "look_up",
    "look_down",
    "tilt_left",
    "tilt_right",
    "close_eyes",
    "open_mouth",
    "smile",
    "raise_brows",
    "come_closer",
)
STATES = ("neutral", "action", "follow", "colours", "done", "refused")
HINTS = ("face_camera", "one_person", "come_closer", "move_back", "more_light", "less_light", "hold_still", "back_to_middle")

# Why a session was refused: the sentence the person reads (the page translates it by its code).
REFUSALS: Mapping[str, str] = {
    "face_lost": "Your face left the picture; please stay in view and try again.",
    "two_faces": "Someone else was in the picture; please be alone before the camera.",
    "picture_jumped": "The picture jumped; please stay in view, move calmly and try again.",
    "person_changed": "The face did not stay the same; please do the whole session yourself, with steady light.",
    "not_solid": "We could not see the depth of your head; please turn it a little further, with light from the front.",
    "wrong_action": "That was a different movement; please try again and wait for each instruction.",
    "too_late": "The time for a step ran out; please try again, or choose the relaxed mode.",
    "follow_missed": "Your nose did not follow the dot closely enough; please try again, a little slower or larger.",
    "colours_unseen": "The screen's light did not show on your face; please make the room darker and the screen brighter.",
    "expired": "The session's time is over; please start a new one.",
    "connection_slow": "The pictures came too slowly; please check the connection and try again.",
    "too_fast": "Pictures came faster than a camera makes them; please start again.",
    "out_of_order": "Pictures came out of order; please start again.",
    "picture_repeated": "The camera sent the same picture again and again; please check it and start again.",
    "bad_pictures": "The pictures could not be read; please start again.",
    "left": "The session was left before its end.",
}
# Breaches of the protocol; the session, if any, goes on or has ended as said.
BREACHES: Mapping[str, str] = {
    "unknown_session": "There is no such session; please start a new one.",
    "session_over": "This session is over; please start a new one.",
    "wrong_nonce": "These pictures belong to another session.",
    "picture_too_large": "This picture is too large; at most 1.5 MB and 1920 x 1440 pixels.",
    "not_a_picture": "This is not a JPEG picture.",
    "no_swap_left": "No more actions can be swapped.",
    "nothing_to_swap": "There is no action to swap just now.",
    "too_many_sessions": "Too many sessions are open; please try again in a minute.",
    "paused": "There were several failed tries; please wait half an hour and try again.",
}
REASONS: Mapping[str, str] = {**REFUSALS, **BREACHES}


class ChallengeError(ValueError):
    """A breach of the protocol: `code` is a key of REASONS, the text its sentence."""

    def __init__(self, code: str) -> None:
        super().__init__(REASONS[code])
        self.code = code


@dataclass(frozen=True)
class Guidance:
    """What the page shows next. `progress` (0..1) is of the present step; `dot` is where the dot is now in the mirrored preview
    (0..1 from the left, 0..1 from the top); `colour` is "#rrggbb" to fill the screen with."""

    state: str
    action: str | None = None
    step: int = 0
    steps: int = 0
    hint: str | None = None
    progress: float = 0.0
    dot: tuple[float, float] | None = None
    colour: str | None = None
    reason: str | None = None
    swaps_left: int = 0

    def to_json(self) -> dict[str, object]:
        return asdict(self)
