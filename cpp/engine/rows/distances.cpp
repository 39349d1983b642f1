#include "engine/rows/distances.hpp"

#include <cmath>
#include <vector>

#include "engine/rows/byte_rows.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

const float* as_floats(const std::byte* rows) {
  return reinterpret_cast<const float*>(rows);
}
const Half* as_halves(const std::byte* rows) {
  return reinterpret_cast<const Half*>(rows);
}
const std::uint8_t* as_codes(const std::byte* rows) {
  return reinterpret_cast<const std::uint8_t*>(rows);
}
const std::int8_t* as_bytes(const std::byte* rows) {
  return reinterpret_cast<const std::int8_t*>(rows);
}

// 1 − cos as half the squared difference of the unit vectors. One sum would wait for each addition.
double half_squared_difference(const Query& query, const float* row, float inverse_norm) {
  const auto square = [&](std::size_t i) {
    const double difference =
        double{query.vector[i]} * double{query.scale} - double{row[i]} * double{inverse_norm};
    return difference * difference;
  };
  double a = 0.0, b = 0.0, c = 0.0, d = 0.0;
  std::size_t i = 0;
  for (; i + 4 <= query.dim; i += 4)
    a += square(i), b += square(i + 1), c += square(i + 2), d += square(i + 3);
  for (; i < query.dim; ++i) a += square(i);
  return (a + b + c + d) / 2.0;
}

}  // namespace

void StoredRows::gather_keys(const Query& query, std::span<const std::uint32_t> which, float* keys) const {
  const Kernels& kernel = kernels();
  const std::size_t dim = form.dim, n = which.size();
  switch (form.store) {
    case Store::float32: {
      const auto compare = by_difference(form.metric) ? kernel.squared_l2_gather : kernel.dot_gather;
      compare(query.vector, as_floats(rows), dim, which.data(), n, dim, keys);
      break;
    }
    case Store::float16: {
      const auto compare =
          by_difference(form.metric) ? kernel.squared_l2_half_gather : kernel.dot_half_gather;
      compare(query.vector, as_halves(rows), dim, which.data(), n, dim, keys);
      break;
    }
    case Store::none:
      kernel.dot_bytes_gather(query.vector, ByteRows::codes(as_bytes(rows)), form.bytes(), which.data(), n,
                              dim, keys);
      break;
    case Store::bits: {
      std::array<std::uint32_t, kRowsAtOnce> bits;
      kernel.hamming_gather(as_codes(query.bits), as_codes(rows), form.bytes(), which.data(), n, form.bytes(),
                            bits.data());
      std::copy_n(bits.begin(), n, keys);
      break;
    }
  }
  make_keys(query, n, [&](std::size_t i) { return which[i]; }, keys);
}

void StoredRows::tile_keys(const QueryBlock& queries, std::size_t first, std::size_t n, float* keys) const {
  const Kernels& kernel = kernels();
  const std::size_t dim = form.dim;
  switch (form.store) {
    case Store::float32: {
      const auto compare = by_difference(form.metric) ? kernel.squared_l2_tile : kernel.dot_tile;
      compare(queries.vectors, dim, queries.count, as_floats(row(first)), dim, n, dim, keys);
      break;
    }
    case Store::float16: {
      const auto compare = by_difference(form.metric) ? kernel.squared_l2_half_tile : kernel.dot_half_tile;
      compare(queries.vectors, dim, queries.count, as_halves(row(first)), dim, n, dim, keys);
      break;
    }
    case Store::none:
      for (std::size_t q = 0; q < queries.count; ++q)
        kernel.dot_bytes_rows(queries.query(q).vector, ByteRows::codes(as_bytes(row(first))), form.bytes(), n,
                              dim, keys + q * n);
      break;
    case Store::bits: {
      std::array<std::uint32_t, kRowsAtOnce> bits;
      for (std::size_t q = 0; q < queries.count; ++q) {
        kernel.hamming_rows(as_codes(queries.query(q).bits), as_codes(row(first)), form.bytes(), n,
                            form.bytes(), bits.data());
        std::copy_n(bits.begin(), n, keys + q * n);
      }
      break;
    }
  }
  for (std::size_t q = 0; q < queries.count; ++q)
    make_keys(queries.query(q), n, [&](std::size_t i) { return first + i; }, keys + q * n);
}

template <class RowOf>
void StoredRows::make_keys(const Query& query, std::size_t n, RowOf row_of, float* keys) const {
  if (form.store == Store::none) {
    const float square = kernels().dot(query.vector, query.vector, query.dim);
    for (std::size_t i = 0; i < n; ++i) keys[i] = estimate(square, row_of(i), keys[i]);
  } else if (form.metric == Metric::dot) {
    for (std::size_t i = 0; i < n; ++i) keys[i] = -keys[i];
  } else if (form.metric == Metric::cosine) {
    cosine_keys(query, n, row_of, keys);
  }
}

/// 1 − cos. Where the two vectors nearly agree, 1 − dot would be left with rounding errors alone; half the
/// squared difference of their unit vectors, summed in double, is not, and is 0 for copies.
template <class RowOf>
void StoredRows::cosine_keys(const Query& query, std::size_t n, RowOf row_of, float* keys) const {
  constexpr float kNear = 1e-3F;
  unsigned near = 0;
  for (std::size_t i = 0; i < n; ++i) {
    keys[i] = std::min(1.0F - keys[i] * query.scale * inverse_norms[row_of(i)], 2.0F);
    near |= static_cast<unsigned>(keys[i] < kNear);
  }
  if (near == 0) return;
  std::vector<float> room;
  for (std::size_t i = 0; i < n; ++i)
    if (keys[i] < kNear)
      keys[i] = static_cast<float>(
          half_squared_difference(query, form.floats(row(row_of(i)), room), inverse_norms[row_of(i)]));
}

/// The rows are rounded, the query is not: ‖q − y‖² = ‖q‖² + ‖y‖² − 2⟨q, y⟩; of unit vectors, twice 1 − cos.
float StoredRows::estimate(float query_square, std::size_t row, float dot) const {
  const ByteRows::Factors factors = ByteRows::factors(as_bytes(this->row(row)));
  if (form.metric == Metric::dot) return -factors.scale * dot;
  const float square = std::max(0.0F, query_square + factors.square - 2.0F * factors.scale * dot);
  return form.metric == Metric::cosine ? std::min(square / 2.0F, 2.0F) : square;
}

}  // namespace lookalike
