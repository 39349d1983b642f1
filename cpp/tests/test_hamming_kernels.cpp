#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "check.hpp"
#include "guarded.hpp"
#include "kernels/dispatch.hpp"

using namespace lookalike;

namespace {

using Random = std::mt19937_64;

std::vector<std::size_t> lengths() {
  std::vector<std::size_t> all;
  for (std::size_t n = 0; n <= 130; ++n) all.push_back(n);
  all.insert(all.end(), {255, 1000, 4099});
  return all;
}

void fill(Guarded<std::uint8_t>& bytes, Random& random) {
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
}

std::uint64_t expected(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < 8 * bytes; ++i) count += ((a[i / 8] ^ b[i / 8]) >> (i % 8)) & 1U;
  return count;
}

}  // namespace

TEST(hamming_is_exact_at_every_length_and_alignment) {
  Random random(4);
  for (const Edge edge : {Edge::start, Edge::end})
    for (const std::size_t bytes : lengths()) {
      Guarded<std::uint8_t> a(bytes, edge), b(bytes, edge);
      fill(a, random);
      fill(b, random);
      for (const auto level : available_levels())
        for (std::size_t from = 0; from <= std::min<std::size_t>(bytes, 9); ++from) {
          const std::uint64_t distance = kernels_for(level)->hamming(a.data() + from, b.data(), bytes - from);
          CHECK(distance == expected(a.data() + from, b.data(), bytes - from), level, "bytes", bytes - from);
        }
    }
}

TEST(hamming_counts_every_bit_of_a_long_code) {
  const std::vector<std::uint8_t> zeros((1U << 22) + 5, 0x00), ones(zeros.size(), 0xFF);
  for (const auto level : available_levels())
    CHECK(kernels_for(level)->hamming(zeros.data(), ones.data(), zeros.size()) == 8 * zeros.size(), level);
}

TEST(hamming_of_rows_and_gathered_rows_is_that_of_each_pair) {
  Random random(5);
  for (const std::size_t bytes : lengths())
    for (const std::size_t n : {0U, 1U, 2U, 21U}) {
      const std::size_t stride = bytes + 3;
      Guarded<std::uint8_t> query(bytes), codes(n == 0 ? 0 : (n - 1) * stride + bytes);
      fill(query, random);
      fill(codes, random);
      Guarded<std::uint32_t> which(2 * n), out(n), gathered(2 * n);
      for (std::uint32_t& row : which) row = static_cast<std::uint32_t>(random() % n);
      for (const auto level : available_levels()) {
        const Kernels& k = *kernels_for(level);
        k.hamming_rows(query.data(), codes.data(), stride, n, bytes, out.data());
        for (std::size_t i = 0; i < n; ++i)
          CHECK(out[i] == expected(query.data(), codes.data() + i * stride, bytes), level, "bytes", bytes,
                "row", i);
        k.hamming_gather(query.data(), codes.data(), stride, which.data(), 2 * n, bytes, gathered.data());
        for (std::size_t i = 0; i < 2 * n; ++i)
          CHECK(gathered[i] == out[which[i]], level, "bytes", bytes, "at", i);
      }
    }
}
