#include <algorithm>
#include <array>
#include <vector>

#include "check.hpp"
#include "engine/base/product.hpp"
#include "engine/base/random.hpp"

using namespace lookalike;

TEST(a_product_has_every_number_once) {
  Random random(1);
  for (const auto [rows, inner, columns] :
       {std::array{1, 1, 1}, std::array{50, 7, 65}, std::array{97, 130, 130}})
    for (const bool half : {false, true}) {
      const auto m = static_cast<std::size_t>(rows), k = static_cast<std::size_t>(inner),
                 n = static_cast<std::size_t>(columns);
      std::vector<float> a(m * k), b(k * n), out(m * n);
      for (float& value : a) value = static_cast<float>(random.bits() % 9) - 4.0F;
      for (float& value : b) value = static_cast<float>(random.bits() % 9) - 4.0F;
      multiply(
          {a.data(), m, k, k, 0, n, half},
          [&](std::size_t i, std::size_t column, std::size_t count, float* to) {
            std::copy_n(b.data() + i * n + column, count, to);
          },
          [&](std::size_t row, std::size_t column, const float* sums, std::size_t count) {
            for (std::size_t j = 0; j < count; ++j) out[row * n + column + j] += sums[j];
          });
      for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = half ? i : 0; j < n; ++j) {
          float sum = 0.0F;
          for (std::size_t x = 0; x < k; ++x) sum += a[i * k + x] * b[x * n + j];
          CHECK(out[i * n + j] == sum, i, j, out[i * n + j], sum);
        }
    }
}
