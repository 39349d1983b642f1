"""The law of numbers: what trades speed, recall, memory or time stands in cpp/engine/tuning.hpp, with its source."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

ENGINE = Path(__file__).parent.parent / "cpp" / "engine"
TUNING = ENGINE / "tuning.hpp"

NUMBER = r"(?:std::)?(?:size_t|ptrdiff_t|u?int\d+_t|chrono::\w+)|auto|int|long|unsigned|float|double"
CONSTANTS = re.compile(rf"\bconstexpr (?:{NUMBER}|std::array(?:<(?:{NUMBER})\b[^;=]*>)?) (\w+ ?[={{][^;]*);")
NAME = re.compile(r"(?<![:\w])(\w+) ?(?:=|\{)")
LITERAL = re.compile(r"(?<![\w.])(?!0x)\.?\d")  # patterns of bits are hexadecimal

OTHERS = {  # numbers that stand where they are used, by why they do
    "what a file holds, or a program may ask for": """
        base/metric.hpp: kMetrics
        base/vectors.hpp: kLargestSquare kSmallestSquare kSmallestOfAll
        hash/coded_family.cpp: kMostCodes
        hash/families.hpp: kMaxTables
        hash/hyperplanes.hpp: kMaxBits
        index/index_change.cpp: kEnd
        index/search_options.hpp: kMostNeighbours kMostThreads
        projection/projection.hpp: kMaxWidth kMaxPrincipalDim
        projection/rotation.cpp: kRounds
        recall/budget.hpp: kMeasuredAt kShallow kDegrees
        recall/hit_model.hpp: kFeatures kTerms
        recall/recall_curve.hpp: kNeighbours kMostSteps
        rows/packed_queries.hpp: kMostDim
        rows/store.hpp: kStores
        sealing/measure.cpp: kShallowLevels kTen
        sealing/measure_narrowing.cpp: kLevels
        sealing/unlike.cpp: kLongest
        segment/frame.hpp: kVersion kOptional
        segment/segment_file.cpp: kMaxSections
        segment/segment_file.hpp: kBlock kAlign
        segment/segment_file_writer.cpp: kLongName
        segment/segment_shape.cpp: kMostDims
        sketch/codebook.hpp: kPoints kLargestWidth
        sketch/sketches.hpp: kEntries kShort kLargestEntry
        """,
    "how memory is laid out, and what a kernel, a cache or a system takes at once": """
        base/array.hpp: kPage line
        base/block_list.hpp: kFew
        base/candidates.hpp: kSlack
        base/lowest.hpp: kAtOnce
        base/paged_bits.hpp: kPage kWords
        base/parallel.hpp: kBytes
        base/product.hpp: kRows kColumns
        base/slabs.cpp: kLine
        base/spill.cpp: kPiece
        hash/kmeans.cpp: kTile
        projection/principal.cpp: kPiece kTile kBlock kColumns
        projection/projection.cpp: kVectorsAtOnce
        recall/course.hpp: kAtOnce
        router/fresh_lists.hpp: kPage
        rows/distances.hpp: kRowsAtOnce kQueriesAtOnce kAhead kCached line
        rows/packed_queries.cpp: kAtOnce
        rows/packed_queries.hpp: kAtOnce
        search/known_keys.hpp: kAtOnce
        """,
    "mathematics: rounding, ranges of numbers, steps of a method": """
        base/limit_for.hpp: kSteps kNearest
        base/missed.cpp: kMissed kGrowths kPerOctave kPerGrowth
        base/steps.hpp: kMost kMostOfAll
        base/stop.hpp: kLongest
        hash/centre_blocks.hpp: kSmallest kRounding
        hash/probes.hpp: kMost
        hash/spheres.cpp: kBytes kMost
        index/snapshot_search.cpp: kRounding
        recall/budget.hpp: kUnknown
        recall/course.cpp: kBits kDigits kMask
        recall/hit_model.cpp: kLeast kAsGoodAsEqual kEven
        recall/measured_share.hpp: kNoError
        recall/point_tally.cpp: kLeast kMost kSteps
        recall/point_tally.hpp: kSteps
        rows/byte_rows.hpp: kSmallest
        rows/distances.cpp: kNear
        sealing/learn_hits.cpp: kMostSteps kEnough kShortest kRidge
        sealing/verify.cpp: kRounding
        search/near_rows.cpp: kErrorPerFactor kLeastRounding kLeftOutByRounding kRounding
        """,
}


def constants(text: str) -> set[str]:
    """The names of all that is `constexpr`, a number or an array of them, and written with a decimal number."""
    text = re.sub(r"\s+", " ", re.sub(r"//[^\n]*", "", text))
    return {name for some in CONSTANTS.findall(text) if LITERAL.search(some) for name in NAME.findall(some)}


def test_constants_are_found() -> None:
    assert constants("constexpr std::size_t kA = 2 * kB, kC = std::size_t{4} << 20;  // 3\n") == {"kA", "kC"}
    assert constants("static constexpr double kA =\n    1e-3; inline constexpr std::array kB = {.5F};") == {"kA", "kB"}
    assert constants("constexpr std::chrono::microseconds kA{5}, kB{7};") == {"kA", "kB"}
    assert not constants(
        "constexpr std::uint32_t kA = 0xFFFFFFFF; constexpr auto kB = kC / kD; // constexpr int kE = 5;"
    )


def test_what_tunes_stands_in_one_file() -> None:
    lines = "".join(OTHERS.values()).split("\n")
    known = {
        f"{file.strip()}: {name}"
        for file, _, names in (line.partition(":") for line in lines)
        for name in names.split()
    }
    found = {
        f"{path.relative_to(ENGINE).as_posix()}: {name}"
        for path in ENGINE.rglob("*.[ch]pp")
        if path != TUNING
        for name in constants(path.read_text())
    }
    assert not sorted(found - known), f"belongs in {TUNING.name}, with its source; in OTHERS, if it tunes nothing"
    assert not sorted(known - found), "stands in OTHERS alone"


def test_every_number_says_what_it_decides_and_is_used() -> None:
    text = TUNING.read_text()
    for above, line in itertools.pairwise(text.splitlines()):
        if line.startswith("inline constexpr"):
            assert above.startswith(("///", "inline constexpr")), f"nothing is said of {line}"
    used = "".join(path.read_text() for path in ENGINE.rglob("*.[ch]pp"))
    assert not [name for name in constants(text) if len(re.findall(rf"\b{name}\b", used)) < 2], "nobody uses it"
