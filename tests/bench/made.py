"""Results as a run on GloVe would give them: figures of docs/performance.md, and what else a run may meet."""

from __future__ import annotations

from math import exp, log

from lookalike.bench.results import Mode, Outcome, Point, Results

PEERS: dict[str, tuple[str, str, float, int, tuple[float, float], tuple[float, float]]] = {
    # version, parameters, seconds, MB, queries/s one by one at recall 0.90 and 0.99, the same in batches
    "lookalike": ("0.1.0", "Index(dim=100, metric='cosine')", 7.5, 187, (39472, 13974), (84869, 27257)),
    "hnswlib": ("0.8.0", "M=16, ef_construction=200", 60.7, 209, (6022, 781), (10878, 1539)),
    "annoy": ("1.17.3", "100 trees", 19.8, 738, (675, 120), (1208, 208)),
    "faiss-ivfpq": ("1.15.1", "IVF2048,PQ50x4fsr,RFlat", 9.6, 157, (5620, 1558), (7504, 1800)),
    "faiss-hnsw": ("1.15.1", "HNSW16, efConstruction=200", 62.4, 175, (4902, 592), (9782, 1029)),
    "faiss-rabitq": ("1.15.1", "HR100,IVF2048,RaBitQfs,Refine(Flat)", 10.0, 149, (6200, 900), (11545, 1400)),
    "faiss-lsh": ("1.15.1", "400 bits", 2.1, 17, (95, 21), (160, 40)),
    "scann": ("1.4.2", "1134 leaves, 2 dimensions a block", 12.3, 151, (21126, 6304), (42866, 12376)),
    "symphonyqg": ("0.7.1", "max_degree=32, ef_construction=200", 41.2, 432, (17299, 2317), (33953, 4851)),
    "rabitq-ivf": ("0.7.1", "2048 lists, 1-bit codes", 13.9, 143, (10593, 3000), (18934, 6000)),
    "usearch": ("2.26.6", "connectivity=16, expansion_add=200", 71.3, 216, (3664, 442), (7076, 1056)),
    "voyager": ("2.2.3", "M=16, ef_construction=200", 60.9, 212, (5257, 664), (9521, 1343)),
    "pynndescent": ("0.5.13", "n_neighbors=30", 210.4, 480, (1800, 210), (9000, 1100)),
    "nearpy": ("1.0.0", "20 tables of 12 bits", 95.0, 1320, (14, 3.1), (14, 3.1)),
    "sklearn-balltree": ("1.7.2", "leaf_size=40", 4.4, 262, (9, 4.5), (9, 4.5)),
}
EXACT: dict[str, tuple[float, float]] = {
    "numpy": (31, 900),
    "faiss-flat": (120, 2100),
    "one-pair-at-a-time": (0.4, 0.4),
}
MOST = {"faiss-ivfpq": 0.985, "rabitq-ivf": 0.972, "faiss-lsh": 0.91, "nearpy": 0.78}
RECALLS = (0.42, 0.55, 0.68, 0.76, 0.83, 0.88, 0.91, 0.935, 0.952, 0.967, 0.978, 0.986, 0.991, 0.9955, 0.998)


def made() -> Results:
    """Eighteen competitors that were measured, and three that were not, or not to the end."""
    outcomes = [_approximate(name) for name in PEERS]
    outcomes += [_exact(name, *rates) for name, rates in EXACT.items()]
    outcomes[-1].batch = []
    next(one for one in outcomes if one.name == "usearch").error = "at {'expansion': 1280}, batch: took more than 600 s"
    outcomes.append(Outcome("svs-lvq", error="No module named 'svs': pip install 'lookalike[bench]'", missing=True))
    outcomes.append(Outcome("datasketch", "1.6.5", error="it finds sets, and these are vectors"))
    for minute, one in enumerate(outcomes, 34):
        one.began = f"2026-11-27T16:{minute}:38+00:00"
    return Results(
        dataset="glove",
        distance="cosine",
        count=321_479,
        dim=100,
        queries=10_000,
        k=10,
        rounds=3,
        threads=2,
        machine="AMD EPYC (Zen 4), 2 cores",
        outcomes=outcomes,
        software={"lookalike": "0.1.0, commit 19089a3", "Python": "3.11.2", "NumPy": "2.3.4"},
        seed=7,
    )


def _approximate(name: str) -> Outcome:
    version, parameters, seconds, megabytes, single, batch = PEERS[name]
    most = MOST.get(name, 1.0)
    ours = PEERS["lookalike"]
    pace: dict[Mode, list[Point]] = {
        "single": _sweep("lookalike", 1.0, (ours[4][0] * 0.98, ours[4][1] * 0.98), "single"),
        "batch": _sweep("lookalike", 1.0, (ours[5][0] * 1.01, ours[5][1] * 1.01), "batch"),
    }
    dynamic = name in ("lookalike", "hnswlib", "usearch", "voyager")
    notes = [] if dynamic else ["added: its index is built once", "removed: its index is built once"]
    return Outcome(
        name,
        version,
        parameters,
        seconds,
        build_peak=int(megabytes * 2.2e6),
        memory=megabytes * 10**6,
        search_peak=int(megabytes * 1.1e6),
        overhead=None if name == "faiss-ivfpq" else 1.5 + len(name) / 3,
        disk=None if name == "nearpy" else int(megabytes * 0.9e6),
        load=None if name == "nearpy" else megabytes / 900,
        added=4e5 / seconds if dynamic else None,
        removed=9e5 / seconds if dynamic else None,
        pace=pace if name != "lookalike" else {"single": [], "batch": []},
        notes=[*notes, *(["disk: the library does not save its index"] if name == "nearpy" else [])],
        single=_sweep(name, most, single, "single"),
        batch=_sweep(name, most, batch, "batch"),
    )


def _sweep(name: str, most: float, rates: tuple[float, float], mode: Mode) -> list[Point]:
    """On a line through the rates at recall 0.90 and 0.99, but for every fifth setting, which is worse."""
    slope = (log(rates[1]) - log(rates[0])) / (_logit(0.99) - _logit(0.90))
    points = []
    for number, recall in enumerate(one + len(name) / 4000 for one in RECALLS):
        if recall > most:
            break
        rate = exp(log(rates[0]) + slope * (_logit(recall) - _logit(0.90))) * (0.5 if number % 5 == 3 else 1)
        setting: dict[str, float] = {"recall": round(recall, 3)} if name == "lookalike" else {"ef": 10 * 2**number}
        if name == "scann":
            setting = {"leaves": 5 * (number + 1), "reorder": 100 * (1 + number // 3)}
        latencies = [1e6 / rate * factor for factor in (0.93, 1.4, 2.1)] if mode == "single" else []
        touched = None if name == "annoy" else 200_000 / rate
        points.append(
            Point(setting, recall, [rate, rate * 0.96, rate * 0.9], [], 2000, 1 + (1 - recall) / 9, latencies, touched)
        )
    return points


def _exact(name: str, single: float, batch: float) -> Outcome:
    def point(rate: float, latencies: list[float]) -> Point:
        return Point({}, 1.0, [rate, rate * 0.97], [], min(2000, int(20 * rate) + 2), 1.0, latencies, 321_479)

    return Outcome(
        name,
        "2.3.4",
        "every pair",
        build_seconds=0.1,
        build_peak=260 * 10**6,
        memory=129 * 10**6,
        search_peak=300 * 10**6,
        overhead=9.0,
        single=[point(single, [1e6 / single, 1.1e6 / single, 1.3e6 / single])],
        batch=[point(batch, [])],
        notes=["disk: it has no index to save", "single: from ef=320 on nothing, its time was over"],
    )


def _logit(recall: float) -> float:
    return log(recall / (1 - recall))
