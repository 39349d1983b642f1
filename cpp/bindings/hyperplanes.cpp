#include "engine/hyperplanes.hpp"

#include "bindings/bindings.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace lookalike {
namespace {

nb::ndarray<nb::numpy, std::uint32_t> codes(const Hyperplanes& family, const Array2<float>& vectors) {
  const std::size_t count = vectors.shape(0);
  std::vector<std::uint32_t> codes(count * family.tables());
  {
    const nb::gil_scoped_release no_gil;
    std::vector<float> margins(family.planes());
    for (std::size_t i = 0; i < count; ++i) {
      family.margins(vectors.data() + i * family.dim(), 1.0F, margins.data());
      for (std::uint32_t table = 0; table < family.tables(); ++table)
        codes[i * family.tables() + table] = family.code(margins.data() + std::size_t{table} * family.bits());
    }
  }
  return to_numpy(std::move(codes), {count, family.tables()});
}

}  // namespace

void bind_hyperplanes(nb::module_& m) {
  nb::class_<Hyperplanes>(m, "Hyperplanes", "Random hyperplanes through the origin.")
      .def(nb::init<std::size_t, std::uint32_t, std::uint32_t, std::uint64_t>(), "dim"_a, "tables"_a,
           "bits"_a, "seed"_a)
      .def("codes", &codes, "vectors"_a, "The codes, (n, tables), of vectors (n, dim).")
      .def_prop_ro("normals", [](nb::handle_t<Hyperplanes> self) {
        const auto& family = nb::cast<const Hyperplanes&>(self);
        return nb::ndarray<nb::numpy, const float>(family.normals().data(), {family.planes(), family.dim()},
                                                   self);
      });
  m.attr("MAX_BITS") = Hyperplanes::kMaxBits;
  m.attr("MAX_TABLES") = Hyperplanes::kMaxTables;
}

}  // namespace lookalike
