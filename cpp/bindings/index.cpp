#include "engine/index/index.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "bindings/bindings.hpp"
#include "bindings/gil.hpp"
#include "bindings/neighbors.hpp"
#include "engine/base/errors.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lookalike {
namespace {

// Arrays come checked for shape and dtype by lookalike/index/index.py. Every call releases the GIL before it
// takes a lock of the index: a writer that looks for Ctrl-C needs the GIL while it holds that lock. Paths are
// bytes.

using Ids = Array1<std::int64_t>;

// Its last moments may be long: it waits for the thread that seals. The GIL is given up before ~Index, and
// taken again after it, because bases are destroyed in the reverse of their order.
class GilAtTheEnd {
 public:
  ~GilAtTheEnd() {
    if (state_ != nullptr) take_gil(state_);
  }

 protected:
  PyThreadState* state_ = nullptr;
};

class BoundIndex : public Reader, GilAtTheEnd, public Index {
 public:
  using Index::Index;
  ~BoundIndex() override { state_ = PyEval_SaveThread(); }

  std::shared_ptr<const Snapshot> snapshot() const override { return Index::snapshot(); }
  const Shape& shape() const override { return Index::shape(); }
};

// What it alone holds may take long to free.
class BoundSnapshot : public Reader, GilAtTheEnd {
 public:
  explicit BoundSnapshot(std::shared_ptr<const Snapshot> held) : held_(std::move(held)) {}
  ~BoundSnapshot() override { state_ = PyEval_SaveThread(); }

  std::shared_ptr<const Snapshot> snapshot() const override { return held_; }
  const Shape& shape() const override { return held_->shape(); }

 private:
  std::shared_ptr<const Snapshot> held_;
};

// Element is what the metric takes: uint8 under hamming, else float32.
template <class Element>
nb::ndarray<nb::numpy, std::int64_t> add(BoundIndex& index, const Array2<Element>& vectors,
                                         const std::optional<Ids>& ids, bool overwrite) {
  const std::size_t count = vectors.shape(0);
  std::vector<std::int64_t> taken;
  {
    const NoGil no_gil;
    taken = index.add(vectors.data(), count, ids ? ids->data() : nullptr, overwrite);
  }
  return to_numpy(std::move(taken), {count});
}

template <class Element>
nb::object search(const Reader& index, const nb::type_object& neighbors, const Array2<Element>& queries,
                  bool single, std::size_t k, double recall, std::uint32_t probes, std::uint32_t rerank,
                  bool exact, float max_distance, int threads, const Filter* only, double timeout) {
  return search(index, neighbors, {queries.data(), queries.shape(0), single},
                {k, recall, probes, rerank, exact, max_distance, threads, only, timeout});
}

std::optional<long> whole_number(nb::handle value, long least, long most) {
  if (!PyLong_CheckExact(value.ptr())) return std::nullopt;
  int overflow = 0;
  const long number = PyLong_AsLongAndOverflow(value.ptr(), &overflow);
  if (overflow != 0 || number < least || number > most) return std::nullopt;
  return number;
}

// A search as nearly all are asked for, by values of just these types; for others, and what is to be refused,
// None. In Python looking at them would take longer than a small search.
nb::object search_plainly(const Reader& index, const nb::type_object& neighbors, nb::handle query,
                          nb::handle k, nb::handle recall, nb::handle threads) {
  const Shape& shape = index.shape();
  const bool bits = shape.metric == Metric::hamming;
  const auto given = given_vectors(query, !bits, bits ? shape.dim / 8 : shape.dim);
  const auto count = whole_number(k, 1, SearchOptions::kMostNeighbours);
  const auto workers = whole_number(threads, 0, SearchOptions::kMostThreads);
  if (!given || !count || !workers || !PyFloat_CheckExact(recall.ptr())) return nb::none();
  SearchOptions options;
  options.k = static_cast<std::size_t>(*count);
  options.recall = PyFloat_AS_DOUBLE(recall.ptr());
  options.threads = static_cast<int>(*workers);
  if (!(options.recall > 0.0 && options.recall < 1.0)) return nb::none();
  return search(index, neighbors, *given, options);
}

// Of one such search what is the engine's own: benchmarks/call.py.
double seconds_of_search(const Reader& index, const Array1<float>& query, std::size_t k, double recall,
                         std::size_t times) {
  using Clock = std::chrono::steady_clock;
  if (query.shape(0) != index.shape().dim) throw VectorError("the query has not the dimensions of the index");
  const NoGil no_gil;
  SearchOptions options;
  options.k = k;
  options.recall = recall;
  std::vector<std::int64_t> ids(k);
  std::vector<float> distances(k);
  Stages stages;
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < times; ++i)
    index.snapshot()->search(query.data(), 1, options, {}, {ids.data(), distances.data(), &stages});
  return std::chrono::duration<double>(Clock::now() - begin).count() / static_cast<double>(times);
}

template <class Element>
void tune(BoundIndex& index, const Array2<Element>& queries, int threads) {
  const NoGil no_gil;
  index.tune(queries.data(), queries.shape(0), threads, python_signals());
}

nb::tuple told(const Explanation& found) {
  const auto& [stages, laps, trace] = std::tie(found.stages, found.laps, found.trace);
  return nb::make_tuple(
      nb::make_tuple(found.segments, found.compared_whole),
      nb::make_tuple(stages.probes, stages.scanned, stages.candidates, stages.reranked),
      nb::make_tuple(laps.hash, laps.probe, laps.scan, laps.narrow, laps.rerank, found.other_seconds),
      nb::make_tuple(static_cast<std::uint32_t>(trace.reached), trace.bucket_rank, trace.visited,
                     trace.nearer, trace.kept, trace.key),
      nb::make_tuple(stages.recall(), found.level, stages.whole > 0, stages.too_far));
}

template <class Element>
nb::tuple explain(const Reader& index, const Array2<Element>& query, std::size_t k, double recall,
                  std::uint32_t probes, std::uint32_t rerank, bool exact, float max_distance,
                  const Filter* only, std::optional<std::int64_t> id) {
  Explanation found;
  {
    const NoGil no_gil;
    found = index.snapshot()->explain(query.data(), {k, recall, probes, rerank, exact, max_distance, 1, only},
                                      id);
  }
  return told(found);
}

template <class Element>
nb::tuple explain_range(const Reader& index, const Array2<Element>& query, float radius, bool exact,
                        const Filter* only) {
  Explanation found;
  {
    const NoGil no_gil;
    SearchOptions options;
    options.exact = exact;
    options.max_distance = radius;
    options.only = only;
    found = index.snapshot()->explain_range(query.data(), options);
  }
  return told(found);
}

template <class Element>
nb::tuple range_search(const Reader& index, const Array2<Element>& queries, float radius, bool exact,
                       int threads, const Filter* only, double timeout) {
  RangeResult result;
  {
    const NoGil no_gil;
    SearchOptions options;
    options.exact = exact;
    options.max_distance = radius;
    options.threads = threads;
    options.only = only;
    options.timeout = timeout;
    result = index.snapshot()->range_search(queries.data(), queries.shape(0), options, python_signals());
  }
  const std::size_t found = result.ids.size();
  const std::size_t starts = result.starts.size();
  return nb::make_tuple(to_numpy(std::move(result.starts), {starts}),
                        to_numpy(std::move(result.ids), {found}),
                        to_numpy(std::move(result.distances), {found}));
}

nb::ndarray<nb::numpy, float> vector(const Reader& index, std::int64_t id) {
  std::vector<float> values;
  {
    const NoGil no_gil;
    values = index.snapshot()->vector(id);
  }
  return to_numpy(std::move(values), {index.shape().dim});
}

nb::ndarray<nb::numpy, std::int64_t> ids(const Reader& index) {
  std::vector<std::int64_t> values;
  {
    const NoGil no_gil;
    values = index.snapshot()->ids();
  }
  const std::size_t count = values.size();
  return to_numpy(std::move(values), {count});
}

nb::bytes note(const Reader& index) {
  std::string text;
  {
    const NoGil no_gil;
    text = index.snapshot()->note();
  }
  return nb::bytes(text.data(), text.size());
}

}  // namespace

void bind_index(nb::module_& m) {
  m.attr("MOST_NEIGHBORS") = SearchOptions::kMostNeighbours;
  m.attr("MOST_THREADS") = SearchOptions::kMostThreads;
  using no_gil = nb::call_guard<NoGil>;
  // noconvert: where another argument needs a conversion, as a number that no float is, nanobind would turn
  // bytes into floats, too, and take them for packed bits.
  nb::class_<Filter>(m, "Filter", "The engine behind lookalike.index.Filter.")
      .def(
          "__init__",
          [](Filter* self, const Ids& ids) {
            const NoGil release;
            new (self) Filter({ids.data(), ids.shape(0)});
          },
          "ids"_a);
  nb::class_<Reader>(m, "Reader", "What can be asked of an index and of its snapshots.")
      .def("search_plainly", &search_plainly, "neighbors"_a, "query"_a.none(), "k"_a.none(),
           "recall"_a.none(), "threads"_a.none())
      .def("search", &search<float>, "neighbors"_a, "queries"_a.noconvert(), "single"_a, "k"_a, "recall"_a,
           "probes"_a, "rerank"_a, "exact"_a, "max_distance"_a, "threads"_a, "only"_a.none(), "timeout"_a)
      .def("search", &search<std::uint8_t>, "neighbors"_a, "queries"_a.noconvert(), "single"_a, "k"_a,
           "recall"_a, "probes"_a, "rerank"_a, "exact"_a, "max_distance"_a, "threads"_a, "only"_a.none(),
           "timeout"_a)
      .def("seconds_of_search", &seconds_of_search, "query"_a, "k"_a, "recall"_a, "times"_a)
      .def("explain", &explain<float>, "query"_a.noconvert(), "k"_a, "recall"_a, "probes"_a, "rerank"_a,
           "exact"_a, "max_distance"_a, "only"_a.none(), "id"_a.none())
      .def("explain", &explain<std::uint8_t>, "query"_a.noconvert(), "k"_a, "recall"_a, "probes"_a,
           "rerank"_a, "exact"_a, "max_distance"_a, "only"_a.none(), "id"_a.none())
      .def("explain_range", &explain_range<float>, "query"_a.noconvert(), "radius"_a, "exact"_a,
           "only"_a.none())
      .def("explain_range", &explain_range<std::uint8_t>, "query"_a.noconvert(), "radius"_a, "exact"_a,
           "only"_a.none())
      .def("range_search", &range_search<float>, "queries"_a.noconvert(), "radius"_a, "exact"_a, "threads"_a,
           "only"_a.none(), "timeout"_a)
      .def("range_search", &range_search<std::uint8_t>, "queries"_a.noconvert(), "radius"_a, "exact"_a,
           "threads"_a, "only"_a.none(), "timeout"_a)
      .def(
          "verify", [](const Reader& index) { index.snapshot()->verify(python_signals()); }, no_gil())
      .def(
          "__len__", [](const Reader& index) { return index.snapshot()->size(); }, no_gil())
      .def(
          "__contains__", [](const Reader& index, std::int64_t id) { return index.snapshot()->contains(id); },
          "id"_a, no_gil())
      .def("vector", &vector, "id"_a)
      .def("ids", &ids)
      .def_prop_ro("dim", [](const Reader& index) { return index.shape().dim; })
      .def_prop_ro("metric",
                   [](const Reader& index) { return static_cast<std::uint32_t>(index.shape().metric); })
      .def_prop_ro("store",
                   [](const Reader& index) { return static_cast<std::uint32_t>(index.shape().store); })
      .def_prop_ro("seed", [](const Reader& index) { return index.shape().seed; })
      .def_prop_ro("note", &note)
      .def_prop_ro(
          "segments", [](const Reader& index) { return index.snapshot()->segments(); }, no_gil())
      .def_prop_ro("buckets", [](const Reader& index) { return index.snapshot()->buckets(); }, no_gil());
  nb::dict most_tables;
  for (const Family* family : families())
    most_tables[nb::str(family->name.data(), family->name.size())] = family->most_tables;
  m.attr("FAMILIES") = most_tables;
  nb::class_<BoundSnapshot, Reader>(m, "Snapshot", "The engine behind lookalike.index.Snapshot.");
  nb::class_<BoundIndex, Reader>(m, "Index", "The engine behind lookalike.Index.")
      .def(
          "__init__",
          [](BoundIndex* self, std::size_t dim, std::uint32_t metric, std::uint64_t seed,
             std::uint32_t buckets, std::uint32_t store, const char* family, std::uint32_t tables) {
            const NoGil release;  // it enrolls for forks
            new (self) BoundIndex(Shape{dim, seed, 0, static_cast<Metric>(metric), buckets,
                                        static_cast<Store>(store), find_family(family), tables});
          },
          "dim"_a, "metric"_a, "seed"_a, "buckets"_a, "store"_a, "family"_a, "tables"_a)
      .def_static(
          "open",
          [](const std::vector<nb::bytes>& paths, const BoundIndex* beside) {
            std::vector<std::string> names;
            for (const nb::bytes& path : paths) names.emplace_back(path.c_str(), path.size());
            const NoGil release;
            const auto open = beside != nullptr ? beside->snapshot() : nullptr;
            return new BoundIndex(std::span<const std::string>(names), open.get());
          },
          "paths"_a, "beside"_a.none())
      .def_static(
          "salvage",
          [](const nb::bytes& path) {
            const std::string name(path.c_str(), path.size());
            const NoGil release;
            Salvage salvage = salvage_segment(name);
            const std::size_t lost = salvage.lost;
            return std::pair(std::make_unique<BoundIndex>(std::move(salvage)), lost);
          },
          "path"_a)
      .def("add", &add<float>, "vectors"_a.noconvert(), "ids"_a.none(), "overwrite"_a)
      .def("add", &add<std::uint8_t>, "vectors"_a.noconvert(), "ids"_a.none(), "overwrite"_a)
      .def(
          "remove",
          [](BoundIndex& index, const Ids& which) {
            const NoGil release;
            index.remove({which.data(), which.shape(0)});
          },
          "ids"_a)
      .def("tune", &tune<float>, "queries"_a.noconvert(), "threads"_a)
      .def("tune", &tune<std::uint8_t>, "queries"_a.noconvert(), "threads"_a)
      .def(
          "optimize", [](BoundIndex& index, int threads) { index.optimize(threads, python_signals()); },
          "threads"_a, no_gil())
      .def(
          "save",
          [](BoundIndex& index, const nb::bytes& path, const nb::bytes& note, bool little_memory) {
            const std::string name(path.c_str(), path.size());
            const std::string text(note.c_str(), note.size());
            const NoGil release;
            index.save(name, text, little_memory, python_signals());
          },
          "path"_a, "note"_a, "little_memory"_a)
      .def("snapshot", [](const BoundIndex& index) { return new BoundSnapshot(index.snapshot()); });
}

}  // namespace lookalike
