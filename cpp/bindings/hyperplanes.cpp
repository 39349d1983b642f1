#include "engine/hash/hyperplanes.hpp"

#include <vector>

#include "bindings/bindings.hpp"
#include "bindings/gil.hpp"
#include "engine/hash/cross_polytope.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lookalike {
namespace {

template <class Functions>
nb::ndarray<nb::numpy, std::uint32_t> codes(const Functions& functions, const Array2<float>& vectors) {
  const std::size_t count = vectors.shape(0);
  std::vector<std::uint32_t> codes;
  {
    const NoGil no_gil;
    codes.reserve(count * functions.tables());
    std::vector<float> scratch;
    ProbeOrder order;
    for (std::size_t i = 0; i < count; ++i) {
      functions.look(vectors.data() + i * functions.dim(), scratch, order);
      for (std::uint32_t table = 0; table < functions.tables(); ++table)
        codes.push_back(order.own_code(table));
    }
  }
  return to_numpy(std::move(codes), {count, functions.tables()});
}

}  // namespace

void bind_hyperplanes(nb::module_& m) {
  nb::class_<Hyperplanes>(m, "Hyperplanes", "Random hyperplanes through the origin.")
      .def(nb::init<std::size_t, std::uint32_t, std::uint32_t, std::uint64_t>(), "dim"_a, "tables"_a,
           "bits"_a, "seed"_a)
      .def("codes", &codes<Hyperplanes>, "vectors"_a, "The codes, (n, tables), of vectors (n, dim).")
      .def_prop_ro("normals", [](nb::handle_t<Hyperplanes> self) {
        const auto& family = nb::cast<const Hyperplanes&>(self);
        return nb::ndarray<nb::numpy, const float>(family.normals().data(), {family.planes(), family.dim()},
                                                   self);
      });
  m.attr("MAX_BITS") = Hyperplanes::kMaxBits;
  m.attr("MAX_TABLES") = kMaxTables;

  nb::class_<CrossPolytope>(m, "CrossPolytope", "Randomly rotated cross-polytopes around the origin.")
      .def(
          "__init__",
          [](CrossPolytope* self, std::size_t dim, std::uint32_t tables, std::uint32_t digits,
             std::uint32_t last_width, std::uint64_t seed) {
            const auto width = static_cast<std::uint32_t>((dim + 3) / 4 * 4);
            new (self) CrossPolytope(dim, tables, PolytopeShape{width, digits, last_width}, seed);
          },
          "dim"_a, "tables"_a, "digits"_a, "last_width"_a, "seed"_a)
      .def("codes", &codes<CrossPolytope>, "vectors"_a, "The codes, (n, tables), of vectors (n, dim).");
}

}  // namespace lookalike
