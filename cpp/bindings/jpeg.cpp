// lookalike._jpeg: what can be told of a JPEG without making pixels of it; for children that import no NumPy.
#include <nanobind/nanobind.h>

#include <cstdint>
#include <span>

#include "pictures/jpeg_walk.hpp"

namespace nb = nanobind;

NB_MODULE(_jpeg, m) {
  m.doc() = "What became of a JPEG's data; private, lookalike.images.jpeg_damage is its door.";
  m.def(
      "walk",
      [](const nb::bytes& data) -> nb::object {
        const std::span bytes(static_cast<const std::uint8_t*>(data.data()), data.size());
        lookalike::JpegWalk walk;
        {
          const nb::gil_scoped_release released;
          walk = lookalike::walk_jpeg(bytes);
        }
        if (!walk.known) return nb::none();
        return nb::make_tuple(walk.damaged, walk.share);
      },
      nb::arg("data"), nb::sig("def walk(data: bytes) -> tuple[bool, float] | None"),
      "Whether its data are damaged, and the share of its blocks before that; None of what is not walked "
      "through.");
}
