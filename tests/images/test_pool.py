from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import lookalike
from lookalike.errors import ArgumentError, LookalikeError
from lookalike.fitting import Box, Input
from lookalike.images import child as child_module
from lookalike.images.content import LARGEST_FILE
from lookalike.images.decode import decode
from lookalike.images.formats import MAX_PIXELS
from lookalike.images.pool import DecoderPool, Failed, Given, Limits, Loaded

SOURCE = str(Path(lookalike.__path__[0]).parent)


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    """Twelve small pictures of different colours and sizes, named by their number."""
    paths = [str(tmp_path / f"{number}.png") for number in range(12)]
    for number, path in enumerate(paths):
        Image.new("RGB", (50 + number, 40), (number * 20, 0, 0)).save(path)
    return paths


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A picture of 25 million pixels, which take a good while to decode, and 100 MB of memory."""
    path = tmp_path_factory.mktemp("slow") / "slow.png"
    Image.linear_gradient("L").resize((5000, 5000)).convert("RGB").save(path, compress_level=1)
    return str(path)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def eventually(happens: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not happens() and time.monotonic() < deadline:
        time.sleep(0.01)
    return happens()


IMPORT = "from lookalike.images.worker import main"


def change_children(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Children run `code` before they serve."""
    monkeypatch.setattr(child_module, "_START", child_module._START.replace(IMPORT, f"{code}\n{IMPORT}"))


def pids(pool: DecoderPool) -> list[int]:
    return [child._process.pid for child in pool._children]


def loaded(results: Iterator[Loaded | Failed]) -> list[Loaded]:
    pictures = list(results)
    for picture in pictures:
        assert isinstance(picture, Loaded), picture
    return pictures  # type: ignore[return-value]


# -- results


def test_results_are_those_of_decode_in_the_order_of_paths(pictures: list[str]) -> None:
    with DecoderPool(3) as pool:
        results = loaded(pool.load(pictures, Input(24, "pad")))
    assert [picture.path for picture in results] == pictures
    for picture in results:
        data = Path(picture.path).read_bytes()
        expected = decode(data, Input(24, "pad"))
        assert np.array_equal(picture.pixels, expected.pixels)
        assert (picture.width, picture.height) == (expected.width, expected.height)
        assert picture.sha256 == hashlib.sha256(data).digest()


def test_a_picture_given_by_its_bytes_is_as_its_file(pictures: list[str]) -> None:
    given = [Given(f"shard.tar/{i}.png", Path(path).read_bytes()) for i, path in enumerate(pictures)]
    mixed: list[str | Given] = [*given, *pictures, Given("none.png", b"")]
    with DecoderPool(2) as pool:
        *results, none = pool.load(mixed, Input(16, "squeeze"))
        (thumbnail,) = pool.thumbnails(given[:1], 16)
    good = loaded(iter(results))
    assert [picture.path for picture in good] == [*(each.path for each in given), *pictures]
    for one, other in zip(good[: len(given)], good[len(given) :], strict=True):
        assert one.sha256 == other.sha256
        assert np.array_equal(one.pixels, other.pixels)
    assert none == Failed("none.png", "the file is empty")
    assert isinstance(thumbnail, bytes)


def test_given_bytes_wait_in_bounded_memory(pictures: list[str]) -> None:
    large = Path(pictures[0]).read_bytes() + bytes(20 << 20)
    taken = 0

    def many() -> Iterator[Given]:
        nonlocal taken
        for taken in range(1, 31):
            yield Given(str(taken), large)

    with DecoderPool(2) as pool:
        results = pool.load(many(), Input(8, "pad"))
        for done, _ in enumerate(results, 1):
            assert taken - done <= 4, "of 20 MiB each three wait, and one is about to"
    assert taken == 30


def test_a_part_of_a_picture_is_looked_at(tmp_path: Path) -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[10:30, 20:50] = (200, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "red.png")
    path = str(tmp_path / "red.png")
    with DecoderPool(1) as pool:
        (red,) = loaded(pool.load([path], Input(8, "squeeze"), Box(20, 10, 30, 20)))
        (outside,) = pool.load([path], Input(8, "squeeze"), Box(20, 10, 30, 31))
        (thumbnail,) = pool.thumbnails([path], 320, Box(20, 10, 30, 20))
    assert (red.pixels == (200, 0, 0)).all()
    assert (red.width, red.height) == (60, 40)
    assert isinstance(outside, Failed)
    assert outside.reason == "expected a part within its 60 x 40 pixels, received one from 20, 10 to 50, 41"
    assert isinstance(thumbnail, bytes)
    with Image.open(BytesIO(thumbnail)) as small:
        assert small.size == (30, 20)


def test_every_path_ends_as_one_result_whatever_it_is(tmp_path: Path, pictures: list[str]) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    paths = [
        pictures[0],
        str(tmp_path / "text.jpg"),
        str(tmp_path / "gone.jpg"),
        pictures[1],
        str(tmp_path),
        pictures[1],
    ]
    with DecoderPool() as pool:
        results = list(pool.load(paths * 30, Input(8, "squeeze")))
    assert [result.path for result in results] == paths * 30
    assert [result.reason if isinstance(result, Failed) else "" for result in results[:6]] == [
        "",
        "not a picture: its content is text",
        "cannot be read (No such file or directory)",
        "",
        "not a regular file",
        "",
    ]


def test_names_are_bytes(tmp_path: Path, pictures: list[str]) -> None:
    names = [b"\xff\xfe.png", b"new\nline.png", "\u202egnp.png".encode(), b"x" * 251 + b".png"]
    paths = [os.fsdecode(os.path.join(os.fsencode(tmp_path), name)) for name in names]
    for path in paths:
        os.link(pictures[0], path)
    with DecoderPool(1) as pool:
        assert [picture.path for picture in loaded(pool.load(paths, Input(8, "crop")))] == paths


def test_a_name_that_no_file_can_have_is_one_result(pictures: list[str]) -> None:
    with DecoderPool(1) as pool:
        for results in (
            pool.load(["\ud800.png", "nul\0.png"], Input(8, "pad")),
            pool.thumbnails(["\ud800.png", "\0"], 8),
        ):
            for result in results:
                assert isinstance(result, Failed)
                assert result.reason.startswith("cannot be read (")
        loaded(pool.load(pictures, Input(8, "pad")))


def test_relative_paths_lie_in_the_folder_that_is_current_at_the_call(
    pictures: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    Image.new("RGB", (7, 7)).save(tmp_path / "elsewhere" / "there.png")
    Image.new("RGB", (9, 9)).save(tmp_path / "there.png")
    with DecoderPool(1) as pool:
        loaded(pool.load(pictures, Input(8, "pad")))
        monkeypatch.chdir(tmp_path / "elsewhere")
        results = pool.load(["there.png", "../0.png", "../link/../there.png"], Input(8, "pad"))
        monkeypatch.chdir(tmp_path)
        assert [(picture.path, picture.width) for picture in loaded(results)] == [
            ("there.png", 7),
            ("../0.png", 50),
            ("../link/../there.png", 9),
        ]
        (thumbnail,) = pool.thumbnails(["0.png"], 8)
        assert isinstance(thumbnail, bytes)


def test_a_working_folder_that_is_gone_matters_to_relative_paths_only(
    pictures: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    with DecoderPool(1) as pool:
        monkeypatch.chdir(tmp_path)
        loaded(pool.load(["0.png"], Input(8, "pad")))
        monkeypatch.chdir(gone)
        gone.rmdir()
        relative, absolute = pool.load(["0.png", pictures[0]], Input(8, "pad"))
    assert relative == Failed("0.png", "cannot be read (the working folder is gone)")
    assert isinstance(absolute, Loaded)


def test_nothing_in_nothing_out() -> None:
    with DecoderPool() as pool:
        assert list(pool.load([], Input(8, "pad"))) == []
        assert pids(pool) == [], "no child starts before it is needed"


def test_thumbnails(tmp_path: Path, pictures: list[str]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")  # the largest JPEG of its size
    with DecoderPool(2) as pool:
        missing, small, busy = pool.thumbnails(
            [str(tmp_path / "no.png"), pictures[0], str(tmp_path / "noise.png")], 300
        )
    assert missing == Failed(str(tmp_path / "no.png"), "cannot be read (No such file or directory)")
    assert isinstance(small, bytes)
    assert isinstance(busy, bytes)
    assert Image.open(BytesIO(small)).size == (50, 40)
    assert Image.open(BytesIO(busy)).size == (300, 300)


def test_paths_are_read_ahead_by_a_bounded_number(pictures: list[str]) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield pictures[0]

    with DecoderPool(2) as pool:
        results = pool.load(endless(), Input(1000, "squeeze"))
        for _ in range(20):
            next(results)
        assert taken <= 20 + 32 * 2**20 // (3 * 1000 * 1000) + 1


def test_what_libraries_print_neither_shows_nor_blocks(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    fax = BytesIO()
    Image.linear_gradient("L").convert("1").save(fax, "TIFF", compression="group4")
    data = bytearray(fax.getvalue())
    data[200:-500:7] = b"\x55" * len(data[200:-500:7])  # libtiff complains on stderr, line by line
    (tmp_path / "fax.tif").write_bytes(data)
    exif = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40  # Pillow warns
    Image.new("RGB", (9, 9)).save(tmp_path / "exif.png", exif=exif)
    paths = [str(tmp_path / "fax.tif"), str(tmp_path / "exif.png")] * 400  # together more than a pipe holds
    with DecoderPool(1, Limits(seconds=10)) as pool:
        results = list(pool.load(paths, Input(8, "pad")))
    assert not [each for each in results if isinstance(each, Failed) and "took more" in each.reason]
    assert capfd.readouterr() == ("", "")


# -- arguments


def test_arguments_are_refused_at_once(pictures: list[str]) -> None:
    with pytest.raises(ArgumentError, match="at least 1 worker, got 0"):
        DecoderPool(0)
    with DecoderPool(1) as pool:
        for side in (0, 32769, 1 << 33):
            with pytest.raises(ArgumentError, match=f"a side of 1 to 32768 pixels, received {side}"):
                pool.thumbnails(pictures, side)


def test_the_limits_are_those_promised() -> None:
    assert Limits() == Limits(memory=1 << 30, cpu_seconds=3, pixels=MAX_PIXELS, seconds=30)
    assert MAX_PIXELS == 64_000_000
    assert Limits().memory // 2 == LARGEST_FILE, "a child reads half as much as it may hold"


def test_a_closed_pool_says_so(pictures: list[str]) -> None:
    with DecoderPool(1) as pool:
        begun = pool.load(pictures, Input(8, "pad"))
        next(begun)
    with pytest.raises(LookalikeError, match="closed"):
        next(begun)
    with pytest.raises(LookalikeError, match="closed"):
        pool.load(pictures, Input(8, "pad"))
    pool.close()


# -- limits


def test_too_many_pixels(slow: str) -> None:
    with DecoderPool(1, Limits(pixels=24_000_000)) as pool:
        (result,) = pool.load([slow], Input(8, "pad"))
    assert result == Failed(slow, "5000 x 5000 pixels are more than the limit of 24 million; make a smaller copy of it")


def test_too_much_time_costs_one_picture_and_its_child(slow: str, pictures: list[str]) -> None:
    with DecoderPool(1, Limits(cpu_seconds=0.05)) as pool:
        first, second, third = pool.load([pictures[0], slow, pictures[1]], Input(8, "pad"))
    assert isinstance(first, Loaded)
    assert second == Failed(slow, "took more than 0.05 s of CPU time to decode (HEIC: 0.2 s)")
    assert isinstance(third, Loaded)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's CPU time in /proc")
def test_cpu_time_is_counted_for_each_picture_anew(slow: str) -> None:
    with DecoderPool(1, Limits(cpu_seconds=1)) as pool:
        used = 0.0
        while used < 1.2:
            loaded(pool.load([slow], Input(8, "pad")))
            (pid,) = pids(pool)
            ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            used = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's address space")
def test_too_much_memory(slow: str, pictures: list[str]) -> None:
    with DecoderPool(1, Limits(memory=110 << 20)) as pool:
        hungry, fine = pool.load([slow, pictures[0]], Input(8, "pad"))
    assert hungry == Failed(slow, "needs more than 110 MiB of memory to decode; make a smaller copy of it")
    assert isinstance(fine, Loaded)


def test_too_much_wall_clock(pictures: list[str]) -> None:
    with DecoderPool(1, Limits(seconds=4)) as pool:  # enough to start another child on a busy machine
        loaded(pool.load(pictures[:1], Input(8, "pad")))
        (pid,) = pids(pool)
        os.kill(pid, signal.SIGSTOP)  # as on a network drive that no longer answers
        stuck, fine = pool.load(pictures[:2], Input(8, "pad"))
        assert stuck == Failed(pictures[0], "took more than 4 s to read and decode")
        assert isinstance(fine, Loaded)
        assert gone(pid)


# -- children that die


def test_a_killed_child_costs_at_most_the_picture_it_was_at(slow: str, pictures: list[str]) -> None:
    with DecoderPool(2) as pool:
        killed = []

        def kill() -> None:
            killed.append(min(list(pool._children), key=id))
            os.kill(killed[-1]._process.pid, signal.SIGKILL)

        loaded(pool.load([slow, *pictures], Input(8, "pad")))
        killers = [threading.Timer(delay, kill) for delay in (0.1, 0.2, 0.3)]
        for killer in killers:
            killer.start()
        results = list(pool.load([*pictures, slow, slow, slow, *pictures], Input(8, "pad")))
        for killer in killers:
            killer.join()
        assert eventually(lambda: not any(child.alive for child in killed))
        assert len(results) == 27
        reasons = [result.reason for result in results if isinstance(result, Failed)]
        assert set(reasons) <= {"its decoder was ended by signal 9 (Killed)"}
        assert len(reasons) <= 3
        assert len(loaded(pool.load(pictures, Input(8, "pad")))) == 12


def test_a_child_found_dead_is_replaced(pictures: list[str]) -> None:
    with DecoderPool(1) as pool:
        loaded(pool.load(pictures, Input(8, "pad")))
        (pid,) = pids(pool)
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: not pool._idle[0].alive)
        assert len(loaded(pool.load(pictures, Input(8, "pad")))) == 12


@pytest.mark.parametrize("sent", [0, 1, 4, 5, 30, 48, 100])
def test_a_child_may_die_at_any_byte_of_its_reply(
    sent: int, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = f"""
from lookalike.images import serving
send = serving.send
def cut(file, message):
    if message == b"ready":
        return send(file, message)
    file.write((len(message).to_bytes(4, "big") + message)[:{sent}])
    file.flush()
    __import__("os")._exit(3)
serving.send = cut"""
    change_children(monkeypatch, cut)
    with DecoderPool(1) as pool:
        results = list(pool.load(pictures[:3], Input(8, "pad")))
    assert results == [Failed(path, "its decoder ended unexpectedly (exit code 3)") for path in pictures[:3]]


def test_a_reply_that_is_too_long_is_not_read(pictures: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    flood = "from lookalike.images import worker; worker.answer = lambda *_: bytes(10_000_000)"
    change_children(monkeypatch, flood)
    with DecoderPool(1) as pool:
        (result,) = pool.load(pictures[:1], Input(8, "pad"))
    assert isinstance(result, Failed)
    assert "decoder" in result.reason


@pytest.mark.parametrize(
    "reply",
    [
        "b''",
        "b'short'",
        "wire.Picture(bytes(32), 1, 1, {}, bytes(1152), bytes(32), bytes(3 * 8 * 8 - 1)).pack()",
        "wire.Picture(bytes(32), 1, 1, {}, bytes(1152), bytes(32), bytes(3 * 8 * 8 + 1)).pack()",
        "wire.Picture(bytes(32), 1, 1, {'no': 'fact'}, bytes(1152), bytes(32), bytes(3 * 8 * 8)).pack()",
        "bytes(32) + b'\\xff' * 10 + bytes(3 * 8 * 8)",
    ],
)
def test_a_reply_that_makes_no_sense_costs_one_picture(
    reply: str, pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    change_children(
        monkeypatch,
        f"""
from lookalike.images import wire, worker
answer = worker.answer
def confused(request, *limits):
    return wire.OK + {reply} if request.path.endswith(b"/1.png") else answer(request, *limits)
worker.answer = confused""",
    )
    with DecoderPool(1) as pool:
        before, confused, after = pool.load(pictures[:3], Input(8, "pad"))
    assert isinstance(before, Loaded)
    assert confused == Failed(pictures[1], "its decoder gave an answer that makes no sense")
    assert isinstance(after, Loaded)


def test_children_that_cannot_start_are_an_error_not_failed_pictures(
    pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "_START", "raise ImportError('no Pillow here')")
    with DecoderPool(1) as pool, pytest.raises(LookalikeError, match="no Pillow here"):
        list(pool.load(pictures, Input(8, "pad")))


def test_a_system_that_starts_no_process_is_an_error_too(
    pictures: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no python"))
    with DecoderPool(1) as pool, pytest.raises(LookalikeError, match="No such file"):
        list(pool.load(pictures, Input(8, "pad")))


# -- lifetime


def test_a_pool_goes_on_after_its_iterator_was_dropped(tmp_path: Path, pictures: list[str]) -> None:
    with DecoderPool(2) as pool:
        for picture in pool.load(pictures * 50, Input(8, "pad")):
            assert isinstance(picture, Loaded)
            break
        with pytest.raises(AttributeError):
            [picture.no_such_thing for picture in pool.load(pictures * 50, Input(8, "pad"))]  # type: ignore[union-attr]
        assert len(loaded(pool.load(pictures, Input(8, "pad")))) == 12


def test_close_ends_children_in_the_midst_of_a_picture(pictures: list[str]) -> None:
    with DecoderPool(2, Limits(seconds=3600)) as pool:
        loaded(pool.load(pictures, Input(8, "pad")))
        children = pids(pool)
        for pid in children:
            os.kill(pid, signal.SIGSTOP)  # a picture that takes for ever
        waiting = pool.load(pictures, Input(8, "pad"))
        threading.Timer(0.2, pool.close).start()
        with pytest.raises(LookalikeError, match="closed"):
            next(waiting)
    assert len(children) == 2
    assert all(gone(pid) for pid in children), "neither alive nor zombies"


def test_close_while_other_threads_load_is_told_to_each_as_such(pictures: list[str]) -> None:
    ends: list[str] = []

    def work(pool: DecoderPool, begun: threading.Event) -> None:
        try:
            for _ in pool.load(pictures * 1000, Input(8, "pad")):
                begun.set()
        except LookalikeError as error:
            ends.append(str(error))

    for _ in range(20):
        pool = DecoderPool(2)
        begun = [threading.Event() for _ in range(3)]
        threads = [threading.Thread(target=work, args=(pool, event)) for event in begun]
        for thread in threads:
            thread.start()
        for event in begun:
            assert event.wait(60)
        pool.close()
        for thread in threads:
            thread.join()
    assert ends == ["this DecoderPool is closed; make a new one"] * 60


def test_a_pool_that_closes_between_check_and_submit_says_so(
    pictures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with DecoderPool(1) as pool:
        submit = pool._threads.submit

        def late(*arguments: Any) -> Any:
            pool.close()
            return submit(*arguments)

        monkeypatch.setattr(pool._threads, "submit", late)
        with pytest.raises(LookalikeError, match="closed"):
            next(pool.load(pictures, Input(8, "pad")))


def test_children_ignore_ctrl_c(pictures: list[str]) -> None:
    with DecoderPool(1) as pool:
        loaded(pool.load(pictures, Input(8, "pad")))
        (before,) = pids(pool)
        os.kill(before, signal.SIGINT)
        loaded(pool.load(pictures, Input(8, "pad")))
        assert pids(pool) == [before]


def test_several_threads_share_a_pool(pictures: list[str]) -> None:
    results: list[list[Loaded]] = []
    with DecoderPool(2) as pool:

        def work() -> None:
            results.append(loaded(pool.load(pictures * 5, Input(8, "pad"))))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(pids(pool)) <= 2
    assert [[picture.path for picture in each] for each in results] == [pictures * 5] * 4


def test_after_a_fork_it_raises_rather_than_hangs(pictures: list[str]) -> None:
    with DecoderPool(1) as pool:
        loaded(pool.load(pictures, Input(8, "pad")))
        child = os.fork()
        if child == 0:
            try:
                pool.load(pictures, Input(8, "pad"))
            except LookalikeError as error:
                os._exit(0 if "fork" in str(error) else 2)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        loaded(pool.load(pictures, Input(8, "pad")))


# -- the user's side: scripts


def script(text: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", text, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        **options,
    )


LOAD = f"""
import sys
sys.path.insert(0, {SOURCE!r})
from lookalike.fitting import Input
from lookalike.images.pool import DecoderPool
pool = DecoderPool(2)
for picture in pool.load(sys.argv[1:], Input(8, "squeeze")):
    print(type(picture).__name__)
"""


def test_a_script_needs_no_main_guard_nor_close(tmp_path: Path, pictures: list[str]) -> None:
    (tmp_path / "script.py").write_text(LOAD)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "script.py", *pictures]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("Loaded\n" * 12, "")


def test_modules_in_the_working_folder_are_not_imported(tmp_path: Path, pictures: list[str]) -> None:
    for name in ("PIL", "struct", "lookalike", "hashlib", "types", "warnings"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the folder of pictures')")
    code = LOAD.replace("pool =", f"import os; os.chdir({str(tmp_path)!r}); pool =")
    out, error = script(code, *pictures, cwd="/").communicate()
    assert (out, error) == ("Loaded\n" * 12, "")


def test_children_end_with_a_parent_that_is_killed(tmp_path: Path, pictures: list[str]) -> None:
    code = (
        LOAD
        + """
    if picture.path == sys.argv[-1]:
        print(*[child._process.pid for child in pool._children])
        sys.stdout.flush()
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
"""
    )
    process = script(code, *pictures)
    out, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    children = [int(pid) for pid in out.splitlines()[-1].split()]
    assert children
    assert eventually(lambda: all(gone(pid) for pid in children))


def test_children_end_with_a_parent_that_is_killed_after_a_fork(pictures: list[str]) -> None:
    code = (
        LOAD
        + """
import os, signal
decoders = [child._process.pid for child in pool._children]
forked = os.fork()
if forked == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    signal.pause()
print(forked, *decoders, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    )
    out, _ = script(code, *pictures).communicate()
    forked, *decoders = map(int, out.splitlines()[-1].split())
    try:
        assert decoders
        assert eventually(lambda: all(gone(pid) for pid in decoders))
        assert not gone(forked)
    finally:
        os.kill(forked, signal.SIGKILL)


def test_a_fork_leaves_the_children_of_its_parent_alone(pictures: list[str]) -> None:
    with DecoderPool(1) as pool:
        loaded(pool.load(pictures, Input(8, "pad")))
        before = pids(pool)
        forked = os.fork()
        if forked == 0:
            pool.close()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) == 0
        loaded(pool.load(pictures, Input(8, "pad")))
        assert pids(pool) == before


def test_the_time_in_which_the_parent_is_stopped_does_not_count(tmp_path: Path, pictures: list[str]) -> None:
    # The reply is larger than a pipe holds: the child waits with the most of it until the parent goes on.
    code = f"""
import sys
sys.path.insert(0, {SOURCE!r})
from lookalike.images import child
from lookalike.fitting import Input
from lookalike.images.pool import DecoderPool, Limits
child._START = child._START.replace({IMPORT!r}, '''
import os, time
from lookalike.images import worker
answer = worker.answer
def waiting(request, *limits):
    if request.input.side == 1000:
        open("begun", "w").close()
        while not os.path.exists("stopped"):
            time.sleep(0.01)
    return answer(request, *limits)
worker.answer = waiting
{IMPORT}''')
with DecoderPool(1, Limits(seconds=2)) as pool:
    for side in (8, 1000):
        print(*(type(each).__name__ for each in pool.load(sys.argv[1:], Input(side, "squeeze"))))
"""
    process = script(code, pictures[0], cwd=tmp_path)
    assert eventually((tmp_path / "begun").exists)
    process.send_signal(signal.SIGSTOP)  # as Ctrl-Z does; the children are in a group of their own
    (tmp_path / "stopped").touch()
    time.sleep(3)
    process.send_signal(signal.SIGCONT)
    out, error = process.communicate()
    assert (out, error) == ("Loaded\nLoaded\n", "")


def test_ctrl_c_ends_the_parent_and_its_children(slow: str) -> None:
    code = f"""
import sys
sys.path.insert(0, {SOURCE!r})
from lookalike.fitting import Input
from lookalike.images.pool import DecoderPool
with DecoderPool(2) as pool:
    for picture in pool.load([sys.argv[1]] * 100_000, Input(8, "pad")):
        print(*[child._process.pid for child in pool._children], flush=True)
"""
    process = script(code, slow, start_new_session=True)
    assert process.stdout is not None
    children = [int(pid) for pid in process.stdout.readline().split()]
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate()
    assert process.returncode == -signal.SIGINT
    assert error.splitlines()[-1] == "KeyboardInterrupt"
    assert all(gone(pid) for pid in children)


def test_a_child_imports_neither_numpy_nor_the_rest(pictures: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    tell = """
from lookalike.images import worker
tops = {name.split(".")[0] for name in sys.modules}
parts = {name.split(".")[1] for name in sys.modules if name.startswith("lookalike.")}
surplus = sorted(tops & {"numpy", "subprocess", "multiprocessing", "site"} | parts - {"errors", "fitting", "images"})
worker.answer = lambda *_: worker.wire.FAILED + repr(surplus).encode()"""
    change_children(monkeypatch, tell)
    with DecoderPool(1) as pool:
        assert list(pool.load(pictures[:1], Input(8, "pad"))) == [Failed(pictures[0], "[]")]


def test_the_parent_does_not_import_pillow(pictures: list[str]) -> None:
    out, error = script(LOAD + "\nprint('PIL' in sys.modules)", *pictures).communicate()
    assert (out, error) == ("Loaded\n" * 12 + "False\n", "")
