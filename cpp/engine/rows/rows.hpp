// Rows with their ids: what add collects and a segment keeps.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/array.hpp"
#include "engine/rows/distances.hpp"
#include "engine/rows/store.hpp"

namespace lookalike {

struct Rows {
  Array<std::int64_t> ids;
  Array<std::byte> vectors;    // of one RowForm, behind each other
  Array<float> inverse_norms;  // one for each row where the form is normed, else empty

  std::size_t size() const { return ids.size(); }
  float scale(std::size_t row) const { return inverse_norms.empty() ? 1.0F : inverse_norms[row]; }
  StoredRows stored(const RowForm& form) const {
    return {form, vectors.data(), inverse_norms.data(), size()};
  }

  /// One row of another place; its `inverse_norm` is left where the form has none.
  void append(std::int64_t id, const StoredRows& from, std::size_t row) {
    ids.push_back(id);
    vectors.insert(vectors.end(), from.row(row), from.row(row) + from.form.bytes());
    if (from.form.normed()) inverse_norms.push_back(from.inverse_norms[row]);
  }
};

}  // namespace lookalike
