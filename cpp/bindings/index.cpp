#include "engine/index.hpp"

#include <nanobind/stl/optional.h>

#include <optional>
#include <string>

#include "bindings/bindings.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lookalike {
namespace {

// Arrays come checked for shape and dtype by lookalike/index/index.py. Every call releases the GIL before it
// takes a lock of the index: a writer that looks for Ctrl-C needs the GIL while it holds that lock. Paths are
// bytes.

using Ids = Array1<std::int64_t>;

nb::ndarray<nb::numpy, std::int64_t> add(Index& index, const Array2<float>& vectors,
                                         const std::optional<Ids>& ids, bool overwrite) {
  const std::size_t count = vectors.shape(0);
  std::vector<std::int64_t> taken;
  {
    const nb::gil_scoped_release no_gil;
    taken = index.add(vectors.data(), count, ids ? ids->data() : nullptr, overwrite, python_signals());
  }
  return to_numpy(std::move(taken), {count});
}

nb::tuple search(const Index& index, const Array2<float>& queries, std::size_t k, double recall,
                 std::uint32_t probes, bool exact, float max_distance, int threads) {
  const std::size_t count = queries.shape(0);
  SearchResult result;
  {
    const nb::gil_scoped_release no_gil;
    result = index.search(queries.data(), count, {k, recall, probes, exact, max_distance, threads},
                          python_signals());
  }
  return nb::make_tuple(to_numpy(std::move(result.ids), {count, k}),
                        to_numpy(std::move(result.distances), {count, k}),
                        to_numpy(std::move(result.candidates), {count}), result.recall);
}

nb::ndarray<nb::numpy, float> vector(const Index& index, std::int64_t id) {
  std::vector<float> values;
  {
    const nb::gil_scoped_release no_gil;
    values = index.vector(id);
  }
  return to_numpy(std::move(values), {index.shape().dim});
}

nb::ndarray<nb::numpy, std::int64_t> ids(const Index& index) {
  std::vector<std::int64_t> values;
  {
    const nb::gil_scoped_release no_gil;
    values = index.ids();
  }
  const std::size_t count = values.size();
  return to_numpy(std::move(values), {count});
}

nb::bytes note(const Index& index) {
  std::string text;
  {
    const nb::gil_scoped_release no_gil;
    text = index.note();
  }
  return nb::bytes(text.data(), text.size());
}

}  // namespace

void bind_index(nb::module_& m) {
  using no_gil = nb::call_guard<nb::gil_scoped_release>;
  nb::class_<Index>(m, "Index", "The engine behind lookalike.Index.")
      .def(
          "__init__",
          [](Index* self, std::size_t dim, std::uint32_t metric, std::uint64_t seed, std::uint32_t tables,
             std::uint32_t bits) {
            new (self) Index(Shape{dim, seed, 0, static_cast<Metric>(metric), tables, bits});
          },
          "dim"_a, "metric"_a, "seed"_a, "tables"_a, "bits"_a)
      .def_static(
          "open",
          [](const nb::bytes& path) {
            const std::string name(path.c_str(), path.size());
            const nb::gil_scoped_release release;
            return new Index(name);
          },
          "path"_a)
      .def("add", &add, "vectors"_a, "ids"_a.none(), "overwrite"_a)
      .def(
          "remove",
          [](Index& index, const Ids& which) {
            const nb::gil_scoped_release release;
            index.remove({which.data(), which.shape(0)});
          },
          "ids"_a)
      .def("search", &search, "queries"_a, "k"_a, "recall"_a, "probes"_a, "exact"_a, "max_distance"_a,
           "threads"_a)
      .def(
          "optimize", [](Index& index, int threads) { index.optimize(threads, python_signals()); },
          "threads"_a, no_gil())
      .def(
          "save",
          [](Index& index, const nb::bytes& path, const nb::bytes& note) {
            const std::string name(path.c_str(), path.size());
            const std::string text(note.c_str(), note.size());
            const nb::gil_scoped_release release;
            index.save(name, text, python_signals());
          },
          "path"_a, "note"_a)
      .def("__len__", &Index::size, no_gil())
      .def("__contains__", &Index::contains, "id"_a, no_gil())
      .def("vector", &vector, "id"_a)
      .def("ids", &ids)
      .def_prop_ro("dim", [](const Index& index) { return index.shape().dim; })
      .def_prop_ro("metric",
                   [](const Index& index) { return static_cast<std::uint32_t>(index.shape().metric); })
      .def_prop_ro("seed", [](const Index& index) { return index.shape().seed; })
      .def_prop_ro("note", &note)
      .def_prop_ro("tables", &Index::tables, no_gil())
      .def_prop_ro("bits", &Index::bits, no_gil());
}

}  // namespace lookalike
