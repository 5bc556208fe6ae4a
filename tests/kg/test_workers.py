"""Processes beside this one: answers in order, faults told, none lost where a process dies, none left behind."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from pathfolio.kg.workers import CAN_FORK, WorkerLostError, Workers, answers

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="processes cannot be copied here")


def _late(seconds: float) -> tuple[float, int]:
    time.sleep(seconds)
    return seconds, os.getpid()


def test_answers_come_in_the_order_of_their_questions() -> None:
    asked = [0.2, 0.0, 0.1, 0.0]
    found = list(answers(_late, asked, 2))
    assert [seconds for seconds, _ in found] == asked
    assert os.getpid() not in {pid for _, pid in found}
    assert len({pid for _, pid in found}) == 2


@pytest.mark.parametrize(("count", "asked"), [(1, [0.0, 0.0]), (2, [0.0]), (2, [])])
def test_few_questions_start_no_process(count: int, asked: list[float]) -> None:
    assert {pid for _, pid in answers(_late, asked, count)} <= {os.getpid()}


def test_what_all_look_up_is_looked_up_once() -> None:
    known: list[int] = []

    def look_up(number: int) -> int:
        if not known:
            known.append(os.getpid())
        return known[0]

    assert set(answers(look_up, [1, 2, 3], 2, first=0)) == {os.getpid()}


def test_what_is_inherited_need_not_be_pickled() -> None:
    assert list(answers(lambda number: number + 1, [1, 2, 3], 2)) == [2, 3, 4]


def test_a_fault_is_told_with_its_place_and_ends_the_work() -> None:
    def fail(number: int) -> int:
        return 1 // number

    with pytest.raises(ZeroDivisionError) as told:
        list(answers(fail, [1, 0, 1], 2))
    assert "in fail" in "".join(told.value.__notes__)


def test_a_question_whose_process_dies_is_answered_here() -> None:
    here = os.getpid()

    def die_elsewhere(number: int) -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    assert list(answers(die_elsewhere, [1, 2, 3], 2)) == [1, 2, 3]


def test_another_process_takes_the_place_of_one_that_died() -> None:
    with closing(Workers(_late, 2)) as workers:
        for _ in range(3):
            before = workers.pids
            os.kill(before[-1], signal.SIGKILL)
            assert 0 in _who_answers(workers)
            assert len(set(workers.pids)) == 2 and set(before) & set(workers.pids) == {before[0]}
            assert _who_answers(workers) == set(workers.pids)


def _who_answers(workers: Workers[float, tuple[float, int]]) -> set[int]:
    """Of two at a time; 0 for one that has died."""

    def one(seconds: float) -> int:
        try:
            return workers.ask(seconds)[1]
        except WorkerLostError:
            return 0

    with ThreadPoolExecutor(2) as threads:
        return set(threads.map(one, [0.3, 0.3]))


def test_what_takes_a_place_is_a_copy_of_the_process_as_it_was() -> None:
    known = ["first"]
    with closing(Workers(lambda _: list(known), 1)) as workers:
        known.append("later")
        os.kill(workers.pids[0], signal.SIGKILL)
        with pytest.raises(WorkerLostError):
            workers.ask(0)
        assert workers.ask(0) == ["first"]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_whoever_asks_is_told_that_nobody_is_left() -> None:
    with closing(Workers(_late, 2)) as workers:
        nursery = _parent(workers.pids[0])
        assert nursery == _parent(workers.pids[1]) != os.getpid()
        os.kill(nursery, signal.SIGKILL)
        first, second = workers.pids
        os.kill(second, signal.SIGKILL)
        with pytest.raises(WorkerLostError):
            workers.ask(0.0)
        assert workers.pids == [first]
        assert workers.ask(0.0) == (0.0, first)
        os.kill(first, signal.SIGKILL)
        for _ in range(3):
            with pytest.raises(WorkerLostError):
                workers.ask(0.0)
        assert workers.pids == []


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_no_process_is_left_behind() -> None:
    pids = {pid for _, pid in answers(_late, [0.0, 0.0], 2)}
    until = time.monotonic() + 5
    while (left := [pid for pid in pids if Path(f"/proc/{pid}").exists()]) and time.monotonic() < until:
        time.sleep(0.01)
    assert not left
