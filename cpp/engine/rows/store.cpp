#include "engine/rows/store.hpp"

#include <cstring>

#include "engine/rows/byte_rows.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {

std::size_t RowForm::bytes() const {
  switch (store) {
    case Store::float16:
      return dim * sizeof(Half);
    case Store::none:
      return ByteRows::stride(dim);
    case Store::bits:
      return dim / 8;
    default:
      return dim * sizeof(float);
  }
}

void RowForm::decode(const std::byte* row, float* out) const {
  switch (store) {
    case Store::float16:
      kernels().from_half(reinterpret_cast<const Half*>(row), dim, out);
      break;
    case Store::none:
      ByteRows::read(reinterpret_cast<const std::int8_t*>(row), dim, out);
      break;
    case Store::bits:
      for (std::size_t i = 0; i < dim; ++i)
        out[i] = (std::to_integer<unsigned>(row[i / 8]) >> (7 - i % 8) & 1U) != 0 ? 1.0F : -1.0F;
      break;
    default:
      std::memcpy(out, row, dim * sizeof(float));
  }
}

const float* RowForm::floats(const std::byte* row, std::vector<float>& room) const {
  if (store == Store::float32) return reinterpret_cast<const float*>(row);
  room.resize(dim);
  decode(row, room.data());
  return room.data();
}

}  // namespace lookalike
