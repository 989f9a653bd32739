"""The class's socket: a real server and sockets, a growing folder, and a changing class."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from lamplighter.lessons.numbers import NumberValue
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.lines import SpokenLine, encode_lines
from lamplighter.serving.classroom.beats import class_hub
from lamplighter.serving.classroom.beats.class_hub import ClassHub
from lamplighter.serving.classroom.questions.lesson_question import LessonQuestion
from lamplighter.serving.classroom.questions.question import Question
from lamplighter.serving.live import log_viewers
from lamplighter.serving.live.publication import Publication
from lamplighter.wire.layout_frames import Method
from tests.integration.serving.classroom.viewers import (
    ClassViewer,
    class_server,
    closed_with,
    predict,
    reaches,
)
from tests.support.folders import FakeTrainer, V, layout, make_run, write_layouts
from tests.support.served import PacedTrainer, ServerThread, wait_until_unfollowed

pytestmark = pytest.mark.anyio


async def test_a_viewer_counts_every_step_and_sees_three_a_second(
    server: ServerThread, trainer: FakeTrainer, hub: ClassHub
):
    first, second = ClassViewer(server), ClassViewer(server)
    run = trainer.run
    write_layouts(run, layout(1, 2))
    with PacedTrainer(trainer, 60):
        async with first.watch(run.id) as one:
            await first.receive_until(one, lambda page: len(page.beats) >= 3)
            write_layouts(run, layout(1, trainer.step))
            async with second.watch(run.id) as two:
                await second.receive_until(two, lambda page: len(page.beats) >= 4)
                await first.receive_until(one, reaches(second.page.step))
                assert (hub.counts(), hub.watched_runs()) == ((2, 0), {run.id})
                assert hub.connected_ids() == {first.session.id, second.session.id}
    assert first.page.kinds()[:2] == ["hello", "class"]
    for page in (first.page, second.page):
        times = [beat.time for beat in page.beats]
        # The first came with the joining, just before the next.
        assert len(times) <= 3 * (times[-1] - times[1]) + 3
        assert page.beats[-1].first_step < page.beats[-1].step
        touches, last_lit = np.zeros(V, np.uint32), {}
        for step in range(1, page.step + 1):
            ids = np.unique(np.random.default_rng([1, step]).integers(0, V, 6))
            touches[ids] += 1
            last_lit.update(dict.fromkeys(ids.tolist(), step))
        np.testing.assert_array_equal(page.touches, touches)
        assert {row: int(page.last_lit[row]) for row in last_lit} == last_lit
    await wait_until_unfollowed(run.id)
    assert hub.counts() == (0, 0)


async def test_the_map_comes_whole_and_then_as_differences(server: ServerThread, trainer: FakeTrainer):
    viewer = ClassViewer(server)
    write_layouts(trainer.run, layout(1, 0), layout(1, 0, Method.LINEAR))
    async with viewer.watch(trainer.run.id) as ws:
        await viewer.receive_until(ws, lambda page: len(page.layouts) == 2)
        step = trainer.train(1).step
        moved = layout(1, 0)
        moved.coordinates[0] = moved.coordinates.mean(axis=0)
        write_layouts(trainer.run, type(moved)(1, step, 1.0, Method.UMAP, moved.coordinates))
        await viewer.receive_until(ws, lambda page: page.layouts[Method.UMAP].step == step)
    assert viewer.page.changes == 1


async def test_words_are_sent_only_where_the_text_is_given(server: ServerThread, trainer: FakeTrainer):
    classroom, viewer = server.services.classroom, ClassViewer(server)
    classroom.give_text(trainer.run, False)

    def say() -> None:
        line = SpokenLine((1,), (2,), (0.5,), False)
        trainer.train(1)
        trainer.writer.add_lines(trainer.step, encode_lines([line]))

    async with viewer.watch(trainer.run.id) as ws:
        await viewer.receive_until(ws, reaches(5))
        assert viewer.told()["text"] is False
        say()
        await viewer.receive_until(ws, reaches(trainer.step))
        classroom.give_text(trainer.run, True)
        await viewer.receive_until(ws, lambda page: viewer.told()["text"])
        assert not {"lines", "words"} & set(viewer.page.kinds())
        say()
        await viewer.receive_until(ws, lambda page: {"lines", "words"} <= set(page.kinds()))
        classroom.give_text(trainer.run, False)
        await viewer.receive_until(ws, lambda page: not viewer.told()["text"])
        heard = viewer.page.kinds().count("lines")
        say()
        step = trainer.train(1).step
        await viewer.receive_until(ws, reaches(step))
        assert viewer.page.kinds().count("lines") == heard
    hello = viewer.page.texts[0]
    assert hello["run"]["recipe"]["prompts"] == []


async def test_an_ended_session_is_closed_at_once_and_the_others_go_on(
    server: ServerThread, trainer: FakeTrainer, hub: ClassHub
):
    classroom = server.services.classroom
    leaving, staying = ClassViewer(server), ClassViewer(server)
    run = trainer.run.id
    async with leaving.watch(run) as one, leaving.watch(run) as another, staying.watch(run) as two:
        await staying.receive_until(two, reaches(5))
        assert classroom.end_session(leaving.session.id)
        assert await closed_with(one) == (4403, "this session was ended")
        assert await closed_with(another) == (4403, "this session was ended")
        step = trainer.train(1).step
        await staying.receive_until(two, reaches(step))
        async with leaving.watch(run) as three:
            assert (await closed_with(three))[0] == 4403
        classroom.end_class()
        assert (await closed_with(two))[0] == 4403
    await wait_until_unfollowed(trainer.run.id)
    assert hub.connected_ids() == set()


async def test_predictions_are_taken_and_everything_else_is_ignored(
    server: ServerThread, trainer: FakeTrainer
):
    classroom = server.services.classroom
    one, other = ClassViewer(server), ClassViewer(server)
    question = Question("lit_next", "How many?", trainer.run.id, 5, 6, high=40)
    async with one.watch(trainer.run.id) as first, other.watch(trainer.run.id) as second:
        classroom.questions.ask(question)
        await one.receive_until(first, lambda page: one.told()["question"] is not None)
        number = one.told()["question"]["id"]
        for nonsense in ("", "nonsense", "[]", "{}", predict(number, 41), predict(number + 1, 3)):
            await first.send(nonsense)
        await first.send(f'{{"question": {number}, "answer": Infinity}}')
        await first.send(json.dumps({"question": number, "answer": 3, "more": 1}))
        await first.send(predict(number, 3).encode())
        await first.send(predict(number, 7))
        await other.receive_until(second, lambda page: (other.told()["question"] or {}).get("answered") == 1)
        await one.receive_until(first, lambda page: one.told()["answer"] == 7)
        assert other.told()["answer"] is None
        assert question.answers() == [7]
        for _ in range(30):
            await second.send("x")
        assert (await closed_with(second))[0] == 1008
    classroom.questions.drop_current()


async def test_a_prediction_of_the_course_is_taken_over_the_socket(
    server: ServerThread, trainer: FakeTrainer
):
    questions = server.services.classroom.questions
    one, other = ClassViewer(server), ClassViewer(server)
    asked = LessonQuestion("lesson", "How many?", trainer.run.id, 5, 5, high=10, part=1, stage=2)
    async with one.watch(trainer.run.id) as first, other.watch(trainer.run.id) as second:
        questions.ask_lesson(asked)
        await one.receive_until(first, lambda page: one.told()["question"] is not None)
        shown = one.told()["question"]
        assert (shown["about"], shown["part"], shown["stage"], shown["high"]) == ("lesson", 1, 2, 10)
        before = one.told()["lessons"]
        for answer in (-1, 11, 1e400, 4):
            await first.send(predict(shown["id"], answer))
        await second.send(predict(shown["id"], 10))
        await one.receive_until(first, lambda page: one.told()["question"]["answered"] == 2)
        questions.close_lesson()
        await first.send(predict(shown["id"], 9))
        asked.reveal_number(NumberValue(3.0, 0))
        questions.note_lessons_revealed()
        await other.receive_until(second, lambda page: other.told().get("lessons", 0) > before)
        assert other.told()["question"]["outcome"]["counts"] == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
        assert (asked.answers(), other.told()["answer"]) == ([4, 10], 10)
    questions.forget_all()


async def test_the_class_message_comes_whole_and_at_most_four_times_a_second(
    server: ServerThread, trainer: FakeTrainer
):
    classroom, viewer = server.services.classroom, ClassViewer(server)
    classroom.following = True
    async with viewer.watch(trainer.run.id) as ws:
        for number in range(200):
            classroom.show_view(f"step={number}")
            await asyncio.sleep(0.001)
        classroom.set_role(viewer.session.id, "assistant")
        await viewer.receive_until(ws, lambda page: viewer.told()["role"] == "assistant")
        assert viewer.told()["view"] == "step=199"
    # One on joining, and then about 0.2 s passed.
    assert viewer.page.kinds().count("class") <= 5
    classroom.following = False


async def test_unstarted_finished_and_missing_runs(server: ServerThread, folder: Path):
    viewer = ClassViewer(server)
    store = RunStore(folder)
    run = make_run(store)
    async with viewer.watch(run.id) as ws:
        await viewer.receive_until(ws, lambda page: page.kinds()[:2] == ["hello", "class"])
        trainer = FakeTrainer(run).begin().train(3)
        await viewer.receive_until(ws, reaches(3))
    trainer.train(2).end()
    await wait_until_unfollowed(run.id)
    async with viewer.watch(run.id) as ws:
        await viewer.receive_until(ws, reaches(5))
    async with viewer.watch("2026-11-24-none-ffffff") as ws:
        assert (await closed_with(ws))[0] == 4404
    async with viewer.watch(run.id) as ws:
        await viewer.receive_until(ws, reaches(5))
        store.trash(run)
        assert (await closed_with(ws))[0] == 4404


def publish_noise(hub: ClassHub, run: str) -> None:
    """Send something large to all viewers, as a run with a large vocabulary does."""
    (watched,) = [one for one in hub._watched.values() if one.run.id == run]
    noise = np.random.default_rng(0).bytes(400_000).hex()
    watched.log.publish(
        Publication((f'{{"type":"noise","noise":"{noise}"}}',)), watched.log.newest_state()[1]
    )


async def test_a_lagging_viewer_skips_to_the_newest_state_and_a_stalled_one_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log_viewers, "_PATIENCE", 0.3)
    monkeypatch.setattr(class_hub, "_BEHIND_SECONDS", 0.3)
    server = class_server(tmp_path)
    hub = server.services.class_hub
    hub._send_seconds = 3.0
    trainer = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(5)
    run = trainer.run.id
    slow, stalled, keen = (ClassViewer(server) for _ in range(3))
    async with slow.watch(run) as one, stalled.watch(run) as two, keen.watch(run) as three:
        for viewer, ws in ((slow, one), (stalled, two), (keen, three)):
            await viewer.receive_until(ws, reaches(5))
        one.transport.pause_reading()
        two.transport.pause_reading()
        publish_noise(hub, run)
        for _ in range(4):
            step = trainer.train(1).step
            await keen.receive_until(three, reaches(step))
        assert hub.counts() == (3, 2)
        # Every missed change waits for longer than the hub is patient: the first of them was due after the noise.
        await asyncio.sleep(2 * log_viewers._PATIENCE)
        # All missed changes are one message, which is made once.
        one.transport.resume_reading()
        await slow.receive_until(one, reaches(step))
        assert (len(slow.page.censuses), len(slow.page.beats), hub._watched[run].skips) == (2, 2, 1)
        async with asyncio.timeout(10):
            while stalled.session.id in hub.connected_ids():  # noqa: ASYNC110  (the hub has no event for it)
                await asyncio.sleep(0.05)
        step = trainer.train(1).step
        await keen.receive_until(three, reaches(step))
        await slow.receive_until(one, reaches(step))
        assert (len(keen.page.censuses), hub.counts()) == (1, (2, 0))
        np.testing.assert_array_equal(slow.page.touches, keen.page.touches)
        two.transport.resume_reading()
        assert (await closed_with(two))[0] != 1000
    trainer.crash()
    await asyncio.to_thread(server.stop)


async def test_viewers_are_told_when_the_server_goes(tmp_path: Path):
    server = class_server(tmp_path)
    trainer = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(5)
    viewer = ClassViewer(server)
    async with viewer.watch(trainer.run.id) as ws:
        await viewer.receive_until(ws, reaches(5))
        stopping = asyncio.create_task(asyncio.to_thread(server.stop))
        assert (await closed_with(ws))[0] == 1012
        await stopping
    trainer.crash()
