"""What is said of a sync."""

from __future__ import annotations

import os

from lookalike.cli.output import counted
from lookalike.cli.telling import fields, round_sentences, sentences
from lookalike.collection import Failure, SyncReport
from lookalike.images.find import Skipped

LOST = Skipped("/disk", "/disk is empty now")


def test_a_lost_source_is_told_once_and_when_it_is_back() -> None:
    before, lost = SyncReport(unchanged=3), SyncReport(kept=3, lost=[LOST])
    assert list(round_sentences(lost, before)) == [
        "not looked at, its pictures are kept as they were: /disk: /disk is empty now"
    ]
    assert list(round_sentences(lost, lost)) == []
    assert list(round_sentences(before, lost)) == ["looked at again: /disk"]


def test_a_round_tells_its_own_failures_and_counts_what_is_kept() -> None:
    old, new = Failure("/a.png", "empty"), Failure("/b.png", "text")
    report = SyncReport(new=1, kept=2, failed=[old, new], elapsed=1)
    first, *rest = round_sentences(report, SyncReport(failed=[old]))
    assert first[8:] == "  1 new; 3 pictures indexed, in 1.0 s"
    assert rest == ["  1 could not be read:", "    /b.png: text"]


def test_nothing_is_said_of_nothing() -> None:
    report = SyncReport(unchanged=3, skipped=[Skipped("/n.txt", "not a picture")])
    assert list(sentences(report, in_any_case=False)) == []
    assert len(list(sentences(report, in_any_case=True))) == 2


def test_what_is_skipped_is_named_and_cut_short() -> None:
    names = ["a.txt", "b.mov", "c.txt", "d.txt", "e.txt", "f.txt"]
    reasons = {"txt": "not a picture", "mov": "a video"}
    skipped = [Skipped(os.path.abspath(name), reasons[name[2:]]) for name in names]
    assert list(sentences(SyncReport(unchanged=1, skipped=skipped), in_any_case=True)) == [
        "1 picture indexed: nothing new, in 0.0 s",
        "  5 skipped: not a picture: a.txt, c.txt, d.txt and 2 more",
        "  1 skipped: a video: b.mov",
    ]


def test_what_was_told_before_is_one_line() -> None:
    report = SyncReport(
        unchanged=1, skipped=[Skipped("/a", "hidden", 3), Skipped("/b", "a video")], failed=[Failure("/c", "empty")]
    )
    assert list(sentences(report, in_any_case=True, listed="in a line"))[1:] == [
        "  4 skipped, 1 could not be read, as before; listed by: lookalike sync WHERE --skipped"
    ]
    assert len(list(sentences(SyncReport(unchanged=1), in_any_case=True, listed="in a line"))) == 1


def test_every_file_that_is_left_out_is_named_where_that_was_asked_for() -> None:
    skipped = [Skipped(f"/{i}.txt", "not a picture") for i in range(9)]
    failed = [Failure(f"/{i}.jpg", "empty") for i in range(30)]
    lines = list(sentences(SyncReport(skipped=skipped, failed=failed), in_any_case=True, listed="all"))
    assert lines[1:11] == ["  9 skipped: not a picture:", *(f"    /{i}.txt" for i in range(9))]
    assert len(lines) == 11 + 31


def test_a_number_and_what_it_counts() -> None:
    counts = [counted(0, "picture"), counted(1, "picture"), counted(2000, "picture"), counted(1, "is", "are")]
    assert counts == ["0 pictures", "1 picture", "2,000 pictures", "1 is"]


def test_many_failures_are_cut_short_for_a_person_only() -> None:
    report = SyncReport(new=1, newly_failed=30, failed=[Failure(f"/{i}", "empty") for i in range(30)], elapsed=1)
    lines = list(sentences(report, in_any_case=False))
    assert len(lines) == 23
    assert "10 more" in lines[-1]
    assert len(fields(report, "/")["failures"]) == 30


def test_names_that_are_not_utf_8_are_told_in_bytes_too() -> None:
    report = SyncReport(failed=[Failure("/\udce9.png", "empty")], lost=[Skipped("/\udce9", "gone")])
    told = fields(report, "/\udce8")
    assert [entry["path_base64"] for entry in (*told["failures"], *told["lost"])] == ["L+kucG5n", "L+k="]
