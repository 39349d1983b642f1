// Rows that were added and are not yet sealed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/paged_bits.hpp"
#include "engine/rows/rows.hpp"
#include "engine/rows/store.hpp"

namespace lookalike {

/// A chunk of them, in the order in which they came. Rows are written behind its end and never moved: a chunk
/// with more of them shares their memory, and who reads this one sees as many as before.
class FreshRows {
 public:
  /// Of these rows and no more.
  static FreshRows of(Rows rows);
  /// None yet, with room for some.
  static FreshRows with_room(const RowForm& form, std::size_t room);

  std::size_t size() const { return count_; }
  std::size_t room() const { return closed_ ? 0 : rows_->size() - count_; }
  std::int64_t id(std::size_t row) const { return rows_->ids[row]; }
  bool operator[](std::size_t row) const { return !live_ || (*live_)[row]; }
  std::size_t live_count() const { return live_count_; }
  /// A bit for each row: whether it was not removed.
  Bits living() const;
  /// Ids lie in [least_id, largest_id].
  std::int64_t least_id() const { return least_; }
  std::int64_t largest_id() const { return largest_; }
  bool ascending() const { return ascending_; }
  StoredRows stored(const RowForm& form) const {
    return {form, rows_->vectors.data(), rows_->inverse_norms.data(), count_};
  }

  /// Its memory, for who is to know it again without keeping it.
  std::weak_ptr<const Rows> memory() const { return rows_; }
  bool is_in(const std::weak_ptr<const Rows>& memory) const {
    return !memory.owner_before(rows_) && !rows_.owner_before(memory);
  }

  /// The row of an id that was not removed.
  std::optional<std::uint32_t> find(std::int64_t id) const;

  /// With rows [begin, end) of others written into its room. One chunk may be continued once.
  FreshRows continued(const Rows& others, std::size_t begin, std::size_t end) const;
  /// Without some rows, which ascend.
  FreshRows without(std::span<const std::uint32_t> rows) const;
  /// Not to be continued: its ids are put in order.
  FreshRows closed() const;

 private:
  std::optional<std::uint32_t> last_with(std::int64_t id) const;

  std::shared_ptr<Rows> rows_;  // as many as there is room for
  std::size_t count_ = 0;
  std::size_t live_count_ = 0;
  std::shared_ptr<const PagedBits> live_;  // null: all
  bool closed_ = false;
  bool ascending_ = true;                                    // ids
  std::shared_ptr<const std::vector<std::uint32_t>> by_id_;  // of a closed chunk whose ids do not ascend
  std::int64_t least_ = 0, largest_ = -1;                    // ids
};

}  // namespace lookalike
