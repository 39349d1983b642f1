#include "engine/rows/fresh_rows.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

namespace lookalike {

FreshRows FreshRows::with_room(const RowForm& form, std::size_t room) {
  FreshRows made;
  made.rows_ = std::make_shared<Rows>();
  made.rows_->ids.resize(room);
  made.rows_->vectors.resize(room * form.bytes());
  if (form.normed()) made.rows_->inverse_norms.resize(room);
  return made;
}

FreshRows FreshRows::of(Rows rows) {
  FreshRows made;
  made.count_ = made.live_count_ = rows.size();
  made.ascending_ = std::is_sorted(rows.ids.begin(), rows.ids.end());
  const auto [least, largest] = std::minmax_element(rows.ids.begin(), rows.ids.end());
  if (made.count_ > 0) made.least_ = *least, made.largest_ = *largest;
  made.rows_ = std::make_shared<Rows>(std::move(rows));
  return made.closed();
}

FreshRows FreshRows::continued(const Rows& others, std::size_t begin, std::size_t end) const {
  FreshRows made = *this;
  Rows& rows = *made.rows_;
  const std::size_t bytes = others.vectors.size() / others.size();
  std::copy(others.ids.begin() + static_cast<std::ptrdiff_t>(begin),
            others.ids.begin() + static_cast<std::ptrdiff_t>(end), rows.ids.data() + count_);
  std::memcpy(rows.vectors.data() + count_ * bytes, others.vectors.data() + begin * bytes,
              (end - begin) * bytes);
  if (!others.inverse_norms.empty())
    std::copy_n(others.inverse_norms.data() + begin, end - begin, rows.inverse_norms.data() + count_);
  for (std::size_t i = begin; i < end; ++i) {
    const std::int64_t id = others.ids[i];
    made.ascending_ = made.ascending_ && id > made.largest_;
    made.least_ = i == begin && count_ == 0 ? id : std::min(made.least_, id);
    made.largest_ = std::max(made.largest_, id);
  }
  made.count_ += end - begin;
  made.live_count_ += end - begin;
  if (live_) {
    Bits live = living();
    live.resize(made.count_, true);
    made.live_ = std::make_shared<const PagedBits>(live);
  }
  return made;
}

FreshRows FreshRows::without(std::span<const std::uint32_t> rows) const {
  FreshRows made = *this;
  made.live_ = std::make_shared<const PagedBits>((live_ ? *live_ : PagedBits(count_, true)).without(rows));
  made.live_count_ -= rows.size();
  return made;
}

Bits FreshRows::living() const {
  Bits living(count_, true);
  if (live_) live_->keep_of(living);
  return living;
}

FreshRows FreshRows::closed() const {
  FreshRows made = *this;
  made.closed_ = true;
  if (ascending_ || by_id_) return made;
  std::vector<std::uint32_t> order(count_);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [this](std::uint32_t a, std::uint32_t b) { return id(a) < id(b) || (id(a) == id(b) && a < b); });
  made.by_id_ = std::make_shared<const std::vector<std::uint32_t>>(std::move(order));
  return made;
}

std::optional<std::uint32_t> FreshRows::find(std::int64_t id) const {
  if (id < least_ || id > largest_) return std::nullopt;
  const auto row = last_with(id);
  return row && (*this)[*row] ? row : std::nullopt;
}

// Where an id came twice, the earlier row was replaced.
std::optional<std::uint32_t> FreshRows::last_with(std::int64_t id) const {
  const std::int64_t* ids = rows_->ids.data();
  if (ascending_) {
    const std::int64_t* at = std::lower_bound(ids, ids + count_, id);
    if (at != ids + count_ && *at == id) return static_cast<std::uint32_t>(at - ids);
  } else if (by_id_) {
    const auto after =
        std::upper_bound(by_id_->begin(), by_id_->end(), id,
                         [ids](std::int64_t value, std::uint32_t row) { return value < ids[row]; });
    if (after != by_id_->begin() && ids[*(after - 1)] == id) return *(after - 1);
  } else {
    for (std::size_t row = count_; row-- > 0;)
      if (ids[row] == id) return static_cast<std::uint32_t>(row);
  }
  return std::nullopt;
}

}  // namespace lookalike
