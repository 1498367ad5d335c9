"""What was made once is not made again, as long as it is among the latest."""

import pytest

from retrieval.memory import Memory


class Making:
    """Counts what it is asked for."""

    def __init__(self):
        self.made = []

    def __call__(self, keys):
        self.made.append(keys)
        return [key.upper() for key in keys]


def test_only_what_is_missing_is_made_and_once_each():
    make, memory = Making(), Memory(3)
    assert memory.of(["a", "b", "a"], make) == ["A", "B", "A"]
    assert memory.of(["b", "c"], make) == ["B", "C"]
    assert make.made == [["a", "b"], ["c"]]


def test_what_was_asked_for_longest_ago_is_forgotten():
    make, memory = Making(), Memory(2)
    for key in "abac":
        memory.of([key], make)
    memory.of(["a", "b"], make)
    assert make.made == [["a"], ["b"], ["c"], ["b"]]


def test_more_than_it_holds_is_answered_all_the_same():
    make, memory = Making(), Memory(2)
    assert memory.of(list("abcd"), make) == list("ABCD")
    assert memory.of([], make) == []
    memory.of(["c", "d"], make)
    assert make.made == [list("abcd")]


def test_a_failure_is_not_remembered():
    memory = Memory(2)
    with pytest.raises(OSError, match="away"):
        memory.of(["a"], lambda keys: (_ for _ in ()).throw(OSError("away")))
    assert memory.of(["a"], Making()) == ["A"]
