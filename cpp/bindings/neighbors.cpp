#include "bindings/neighbors.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bindings/bindings.hpp"
#include "bindings/gil.hpp"

namespace nb = nanobind;

namespace lookalike {
namespace {

// Past the __init__ and the __setattr__ of a frozen dataclass, which take longer than a small search.
nb::object make_neighbors(const nb::type_object& type, const std::array<nb::object, 4>& values) {
  static const std::array names = {PyUnicode_InternFromString("ids"), PyUnicode_InternFromString("distances"),
                                   PyUnicode_InternFromString("recall"),
                                   PyUnicode_InternFromString("candidates")};
  auto* const made_of = reinterpret_cast<PyTypeObject*>(type.ptr());
  nb::object made = nb::steal(made_of->tp_alloc(made_of, 0));
  if (!made.is_valid()) throw nb::python_error();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (PyObject_GenericSetAttr(made.ptr(), names[i], values[i].ptr()) != 0) throw nb::python_error();
  return made;
}

}  // namespace

nb::object search(const Reader& index, const nb::type_object& neighbors, const GivenVectors& queries,
                  const SearchOptions& options) {
  const auto [data, count, single] = queries;
  const std::size_t k = options.k;
  const auto ids = single ? NewArray<std::int64_t>(k) : NewArray<std::int64_t>(count, k);
  const auto distances = single ? NewArray<float>(k) : NewArray<float>(count, k);
  std::vector<Stages> stages(count);
  {
    const NoGil no_gil;
    index.snapshot()->search(data, count, options, python_signals(),
                             {ids.data, distances.data, stages.data()});
  }
  nb::object candidates, recall;
  if (single) {
    candidates = numpy_scalar(stages[0].candidates);
    recall = nb::float_(stages[0].recall());
  } else {
    const NewArray<std::uint32_t> of_each(count);
    const NewArray<double> recalls(count);
    for (std::size_t q = 0; q < count; ++q) {
      of_each.data[q] = stages[q].candidates;
      recalls.data[q] = stages[q].recall();
    }
    candidates = of_each.object;
    recall = recalls.object;
  }
  return make_neighbors(neighbors, {ids.object, distances.object, recall, candidates});
}

}  // namespace lookalike
