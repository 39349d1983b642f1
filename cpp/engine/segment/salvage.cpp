// What is left of a damaged segment file: its blocks have checksums of their own.
#include <algorithm>
#include <array>
#include <unordered_set>

#include "engine/base/errors.hpp"
#include "engine/base/vectors.hpp"
#include "engine/segment/segment.hpp"
#include "engine/segment/segment_shape.hpp"

namespace lookalike {
namespace {

SegmentShape any_shape(const SegmentFile& file) {
  try {
    return segment_shape(file);
  } catch (const DamagedError&) {
    return segment_shape(file, "segment_again");
  }
}

// As many as there are rows, or none, as in files that have it once.
std::span<const std::int64_t> ids_in(const SegmentFile& file, std::string_view section, std::size_t rows) {
  if (file.bytes_of(section) != rows * sizeof(std::int64_t)) return {};
  return file.get_unverified<std::int64_t>(section, rows);
}

}  // namespace

Salvage salvage_segment(const std::string& path) {
  const SegmentFile file(path, SegmentFile::Trust::what_makes_sense);
  const SegmentShape stored = any_shape(file);
  Salvage found;
  found.shape = stored.asked();
  const RowForm form(found.shape.store, found.shape.metric, found.shape.dim);
  const auto note = file.get_unverified<char>("note", file.bytes_of("note"));
  if (file.intact(note.data(), note.size())) found.note.assign(note.begin(), note.end());
  const std::array twice{ids_in(file, "ids", stored.rows), ids_in(file, "ids_again", stored.rows)};
  if (twice[0].empty() && twice[1].empty())  // says what is wrong
    (void)file.get_unverified<std::int64_t>("ids", stored.rows);
  const auto id_of = [&](std::size_t row) -> std::int64_t {
    for (const auto ids : twice)
      if (!ids.empty() && file.intact(&ids[row], sizeof ids[row])) return ids[row];
    return -1;
  };
  const auto vectors = file.get_unverified<std::byte>("vectors", stored.rows * form.bytes());
  std::unordered_set<std::int64_t> seen;
  std::vector<float> room;
  for (std::size_t row = 0; row < stored.rows; ++row) {
    const std::byte* vector = vectors.data() + row * form.bytes();
    const std::int64_t id = file.intact(vector, form.bytes()) ? id_of(row) : -1;
    if (id < 0 || !seen.insert(id).second) continue;
    found.rows.ids.push_back(id);
    found.rows.vectors.insert(found.rows.vectors.end(), vector, vector + form.bytes());
    if (form.normed())
      found.rows.inverse_norms.push_back(inverse_norm(form.floats(vector, room), found.shape.dim));
    found.shape.next_id = std::max(found.shape.next_id, static_cast<std::uint64_t>(id) + 1);
  }
  found.lost = stored.rows - found.rows.size();
  return found;
}

}  // namespace lookalike
