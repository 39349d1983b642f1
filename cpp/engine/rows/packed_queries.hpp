// Many queries against many rows, for what is nearest.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "engine/rows/distances.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {

/// Queries that are compared with rows of floats by inner products of what is packed, which is faster than
/// one distance after the other: ‖q − r‖² = ‖a‖² + ‖b‖² − 2⟨a, b⟩, with a and b taken from a point in their
/// midst, as the less is cancelled the shorter they are. That gives bounds of the keys (by those of
/// kernels.hpp).
class PackedQueries {
 public:
  struct Bounds {
    float low;
    float high;
  };

  /// The middle is one of floats, dim of them; under other metrics than euclidean it is not used.
  PackedQueries(const QueryBlock& queries, std::span<const float> middle);

  /// Whether they can be compared with such rows: of floats, and no more of them than the bounds hold for and
  /// caches have room for.
  static bool can_compare(const RowForm& form) {
    constexpr std::size_t kMostDim = 16384;
    return (form.store == Store::float32 || form.store == Store::float16) && form.dim <= kMostDim;
  }

  /// Calls visit(query, row, bounds) for every query and row whose key may be at most limit(query), which is
  /// asked for each panel of rows.
  template <class Limit, class Visit>
  void scan(const StoredRows& rows, Limit limit, Visit visit) const {
    constexpr std::size_t kAtOnce = 96;
    Panel panel;
    std::array<float, kAtOnce * panel_rows> products;
    for (std::size_t begin = 0; begin < rows.count; begin += panel_rows) {
      pack(rows, begin, std::min(panel_rows, rows.count - begin), panel);
      for (std::size_t first = 0; first < queries_.count; first += kAtOnce) {
        const std::size_t some = std::min(kAtOnce, queries_.count - first);
        kernels().dot_panel(values_.data() + first * stride_, stride_, some, panel.values.data(),
                            queries_.dim, products.data());
        for (std::size_t i = 0; i < some; ++i) {
          const float* const of_query = products.data() + i * panel_rows;
          const float most = this->most(first + i, limit(first + i));
          if (!any_within(panel.least, of_query, most)) continue;  // so it is for nearly all panels
          for (std::size_t r = 0; r < panel.count; ++r)
            if (within(panel.least[r], of_query[r], most))
              visit(first + i, begin + r, bounds(first + i, panel.squares[r], of_query[r]));
        }
      }
    }
  }

 private:
  struct Panel {
    std::size_t count = 0;
    std::vector<float> values;
    std::array<float, panel_rows> squares;  // of the lengths
    std::array<float, panel_rows>
        least;  // a key is at least this, less the product twice and what the query adds
    std::vector<float> placed, room;
  };

  // NaN may be near
  static bool within(float least, float product, float most) { return !(least - 2.0F * product > most); }
  static bool any_within(const std::array<float, panel_rows>& least, const float* products, float most) {
    unsigned any = 0;
    for (std::size_t r = 0; r < panel_rows; ++r)
      any |= static_cast<unsigned>(within(least[r], products[r], most));
    return any != 0;
  }

  float most(std::size_t query, float limit) const;
  Bounds bounds(std::size_t query, float square, float product) const;
  void place(const float* vector, float scale, float* out) const;
  void pack(const StoredRows& rows, std::size_t begin, std::size_t count, Panel& panel) const;

  QueryBlock queries_;
  std::vector<float> middle_;  // none unless by difference
  std::size_t stride_;
  std::vector<float> values_;   // as they are placed
  std::vector<float> squares_;  // of their lengths
  float error_;                 // of a key, beside the squares of the two lengths
};

}  // namespace lookalike
