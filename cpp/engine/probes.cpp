#include "engine/probes.hpp"

#include <algorithm>
#include <tuple>

namespace lookalike {

namespace {

// Finite whatever a hostile file makes of the margins: std::sort must never meet a NaN.
float score_of(float margin) {
  constexpr float kMost = 1e30F;
  const float score = margin * margin;
  return score < kMost ? score : kMost;
}

}  // namespace

// Reversed, so that std::push_heap keeps the smallest score in front; table and mask settle ties.
bool ProbeOrder::Flips::operator<(const Flips& other) const {
  return std::tie(score, table, mask) > std::tie(other.score, other.table, other.mask);
}

void ProbeOrder::push(const Flips& flips) {
  heap_.push_back(flips);
  std::push_heap(heap_.begin(), heap_.end());
}

void ProbeOrder::reset(const Hyperplanes& family, const float* margins) {
  tables_ = family.tables();
  bits_ = family.bits();
  own_ = 0;
  codes_.resize(tables_);
  order_.resize(family.planes());
  heap_.clear();
  for (std::uint32_t table = 0; table < tables_; ++table) {
    const float* margin = margins + std::size_t{table} * bits_;
    Bit* bits = order_.data() + std::size_t{table} * bits_;
    codes_[table] = family.code(margin);
    for (std::uint32_t i = 0; i < bits_; ++i) bits[i] = {score_of(margin[i]), std::uint32_t{1} << i};
    std::sort(bits, bits + bits_, [](const Bit& a, const Bit& b) {
      return std::tie(a.score, a.mask) < std::tie(b.score, b.mask);
    });
    push({bits[0].score, table, 0, bits[0].mask});
  }
}

bool ProbeOrder::next(Probe& probe) {
  if (own_ < tables_) {
    probe = {own_, codes_[own_]};
    ++own_;
    return true;
  }
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end());
  const Flips flips = heap_.back();
  heap_.pop_back();
  probe = {flips.table, codes_[flips.table] ^ flips.mask};
  if (flips.last + 1 < bits_) {
    const Bit& last = bit(flips.table, flips.last);
    const Bit& following = bit(flips.table, flips.last + 1);
    // "Shift" and "expand" reach every set of flips exactly once, never before a cheaper one.
    push({flips.score - last.score + following.score, flips.table, flips.last + 1,
          (flips.mask ^ last.mask) | following.mask});
    push({flips.score + following.score, flips.table, flips.last + 1, flips.mask | following.mask});
  }
  return true;
}

}  // namespace lookalike
