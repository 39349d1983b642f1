#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "check.hpp"
#include "engine/rows/byte_rows.hpp"

using namespace lookalike;

namespace {

struct Row {
  float scale, square;
  std::vector<std::int8_t> codes;

  Row(const std::vector<std::int8_t>& bytes, std::size_t m, std::size_t i) : codes(m) {
    const std::int8_t* row = bytes.data() + i * ByteRows::stride(m);
    std::memcpy(&scale, row, 4);
    std::memcpy(&square, row + 4, 4);
    std::copy_n(row + 8, m, codes.begin());
  }
};

std::vector<float> gaussian(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

}  // namespace

TEST(a_row_in_bytes_is_off_by_half_a_step_at_most) {
  for (const float size : {1.0F, 1e-12F, 1e12F, 8e16F})  // norms up to 3e18
    for (const std::size_t m : {1U, 4U, 20U, 64U, 1024U}) {
      auto row = gaussian(m, static_cast<unsigned>(m));
      for (float& value : row) value *= size;
      std::vector<std::int8_t> bytes(ByteRows::stride(m));
      ByteRows::write(row.data(), m, bytes.data());
      const Row written(bytes, m, 0);
      double square = 0;
      for (std::size_t i = 0; i < m; ++i) {
        CHECK(written.codes[i] >= -127);
        CHECK(std::abs(double{row[i]} - double{written.scale} * written.codes[i]) <=
              0.50001 * double{written.scale});
        square += std::pow(double{written.scale} * written.codes[i], 2);
      }
      CHECK(std::abs(double{written.square} - square) <= 1e-5 * square, size, m);
    }
}

TEST(a_row_of_zeros_in_bytes_is_zeros) {
  const std::vector<float> zeros(8);
  std::vector<std::int8_t> bytes(ByteRows::stride(8), 5);
  ByteRows::write(zeros.data(), 8, bytes.data());
  const Row written(bytes, 8, 0);
  CHECK(written.codes == std::vector<std::int8_t>(8) && written.scale == 0.0F && written.square == 0.0F);
}

TEST(keys_of_rows_in_bytes_are_squared_distances_short_of_the_query) {
  constexpr std::size_t kRows = 50;
  for (const std::size_t m : {4U, 36U, 128U}) {
    const auto rows = gaussian(kRows * m, 1), query = gaussian(m, 2);
    std::vector<std::int8_t> written(kRows * ByteRows::stride(m));
    for (std::size_t i = 0; i < kRows; ++i)
      ByteRows::write(rows.data() + i * m, m, written.data() + i * ByteRows::stride(m));
    const ByteRows bytes(m, Column<std::int8_t>(std::span<const std::int8_t>(written)));
    const std::vector<std::uint32_t> which = {49, 0, 7, 7, 13};
    std::vector<float> keys(which.size());
    ByteRows::Room room;
    bytes.keys(query.data(), which, room, keys.data());
    double query_square = 0;
    for (const float value : query) query_square += double{value} * double{value};
    for (std::size_t i = 0; i < which.size(); ++i) {
      const Row row(written, m, which[i]);
      double square = 0;
      for (std::size_t j = 0; j < m; ++j)
        square += std::pow(double{query[j]} - double{row.scale} * row.codes[j], 2);
      CHECK(std::abs(double{keys[i]} + query_square - square) < 1e-4 * (square + query_square), m, i);
    }
  }
}
