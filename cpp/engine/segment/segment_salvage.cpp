// What is left of a damaged segment file: its blocks have checksums of their own.
#include <unordered_set>

#include "engine/base/vectors.hpp"
#include "engine/segment/segment.hpp"
#include "engine/segment/stored_shape.hpp"

namespace lookalike {

Salvage salvage_segment(const std::string& path) {
  const SegmentFile file(path, SegmentFile::Trust::what_makes_sense);
  const StoredShape stored = stored_shape(file);
  Salvage found;
  found.shape = stored.asked();
  const RowForm form(found.shape.store, found.shape.metric, found.shape.dim);
  const auto note = file.get_unverified<char>(Section::note, file.bytes_of(Section::note));
  if (file.intact(note.data(), note.size())) found.note.assign(note.begin(), note.end());
  const auto ids = file.get_unverified<std::int64_t>(Section::ids, stored.rows);
  const auto vectors = file.get_unverified<std::byte>(Section::vectors, stored.rows * form.bytes());
  std::unordered_set<std::int64_t> seen;
  std::vector<float> room;
  for (std::size_t row = 0; row < stored.rows; ++row) {
    const std::byte* vector = vectors.data() + row * form.bytes();
    const bool intact = file.intact(&ids[row], sizeof ids[row]) && file.intact(vector, form.bytes());
    if (!intact || ids[row] < 0 || !seen.insert(ids[row]).second) continue;
    found.rows.ids.push_back(ids[row]);
    found.rows.vectors.insert(found.rows.vectors.end(), vector, vector + form.bytes());
    if (form.normed())
      found.rows.inverse_norms.push_back(inverse_norm(form.floats(vector, room), found.shape.dim));
    found.shape.next_id = std::max(found.shape.next_id, static_cast<std::uint64_t>(ids[row]) + 1);
  }
  found.lost = stored.rows - found.rows.size();
  return found;
}

}  // namespace lookalike
