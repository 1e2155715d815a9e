"""StoryboardWriter: what the film shows when, cut on the music."""

from __future__ import annotations

from comfy_api.latest import io

from .engine.film.cuts import PACES
from .engine.film.motion import PRESETS
from .engine.film.plan import apply_plan, write_plan
from .engine.film.screenplay import apply_screenplay, write_brief
from .engine.film.storyboard import BY_MUSIC, Wishes, write_storyboard
from .engine.timeline import Timeline
from .sockets import TimelineSocket

SCENES = """a woman with long dark hair singing on a beach at sunset
a woman with red hair in a desert at noon, blue sky
a girl with pink hair singing on a stage, neon colours
a woman in a red dress dancing on a beach by day"""


class StoryboardWriter(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="StoryboardWriter",
            display_name="Storyboard Writer",
            category="music video",
            description="Plans the shots of the film: cuts on the bars of the song and never inside a sung word, longer shots where "
            "it is calm, shorter ones where it is loud. Shows your scenes, or what the lyrics and the feeling of the song suggest. "
            "The plan can be edited by hand or written by a language model.",
            search_aliases=["music video", "shot list", "scenes", "plan", "screenplay"],
            inputs=[
                TimelineSocket.Input("timeline", tooltip="The song's timeline, from Audio Beat Analyzer."),
                io.String.Input("style", default="soft illustration",
                                tooltip="What every shot has in common. Added to every prompt."),
                io.String.Input("prompts", default=SCENES, multiline=True,
                                tooltip="One scene a line; the shots take them in turn. "
                                "'a beach at dawn -> a beach at night' changes within the shot. "
                                "Empty: scenes come from the lyrics and the feeling of the song."),
                io.Combo.Input("pace", options=list(PACES), default="balanced", tooltip="How often the film cuts."),
                io.Combo.Input("motion", options=[BY_MUSIC, *PRESETS], default=BY_MUSIC, tooltip="How the camera moves with the music."),
                io.Int.Input("seed", default=0, min=0, max=2**53, control_after_generate=io.ControlAfterGenerate.fixed,
                             tooltip="Another seed draws other pictures for the same plan."),
                io.Float.Input("shortest", default=0.8, min=0.1, max=60.0, step=0.1, advanced=True,
                               tooltip="No shot is shorter, in seconds."),
                io.Float.Input("longest", default=8.0, min=0.2, max=600.0, step=0.1, advanced=True,
                               tooltip="No shot is longer, in seconds."),
                io.String.Input("edited_plan", default="", multiline=True, optional=True, advanced=True,
                                tooltip="A plan of your own, as JSON or CSV. Start from the one this node shows after a run. "
                                "Empty: a new plan is written."),
                io.String.Input("person", optional=True, force_input=True,
                                tooltip="The trigger word, from LoRA Trainer or Personal LoRA Loader. It stands for {person} in the "
                                "prompts; where no prompt has that, the person is in all of them. "
                                "With empty prompts the person is in choruses and where the lines say I or you."),
                io.String.Input("screenplay", optional=True, force_input=True,
                                tooltip="A language model's answer to the brief of another Storyboard Writer; connect that one's timeline "
                                "too, and its shots get these prompts. Shots that the answer leaves out keep theirs."),
            ],
            outputs=[
                TimelineSocket.Output("timeline", display_name="timeline", tooltip="The same timeline, with shots."),
                io.String.Output("plan", display_name="plan", tooltip="The shots as JSON, ready to edit."),
                io.String.Output("brief", display_name="brief", tooltip="The song's sections, feelings, lines and shots in "
                                 "words, with what to answer: for Generate Text or any other language model."),
            ],
            is_output_node=True,
        )  # fmt: skip

    @classmethod
    def execute(
        cls, timeline: Timeline, style: str, prompts: str, pace: str, motion: str, seed: int, shortest: float, longest: float,
        edited_plan: str = "", person: str = "", screenplay: str | None = None,
    ) -> io.NodeOutput:  # fmt: skip
        wishes = Wishes(style, prompts, pace, motion, seed, shortest, longest, person.strip())
        if edited_plan.strip():
            planned = apply_plan(timeline, edited_plan, wishes.person)
        elif screenplay is None:
            planned = write_storyboard(timeline, wishes)
        else:
            planned = apply_screenplay(timeline if timeline.shots else write_storyboard(timeline, wishes), screenplay, style, wishes.person)
        plan = write_plan(planned)
        ui = {"music_video_plan": [plan], "music_video_remarks": list(planned.remarks)}
        return io.NodeOutput(planned, plan, write_brief(planned, wishes), ui=ui)
