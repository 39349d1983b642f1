#include "engine/recall/course.hpp"

#include <bit>
#include <utility>

namespace lookalike {
namespace {

// Ascends with the float, also where it is negative.
std::uint32_t ascending_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000U;
}

}  // namespace

// By their digits, the last first: no two are compared.
void Course::sort_entries() {
  constexpr std::size_t kBits = 11, kDigits = 3;
  constexpr std::uint32_t kMask = (1U << kBits) - 1;
  std::uint32_t bucket = 0;
  std::array<std::array<std::uint32_t, kMask + 1>, kDigits> counts{};
  for (std::uint32_t i = 0; i < entries_in.back(); ++i) {
    while (i >= entries_in[bucket + 1]) ++bucket;
    ascending.push_back({entries[i], bucket});
    const std::uint32_t bits = ascending_bits(entries[i]);
    for (std::size_t digit = 0; digit < kDigits; ++digit) ++counts[digit][bits >> (digit * kBits) & kMask];
  }
  std::vector<Entry> other(ascending.size());
  for (std::size_t digit = 0; digit < kDigits; ++digit) {
    std::uint32_t before = 0;
    for (std::uint32_t& count : counts[digit]) before += std::exchange(count, before);
    for (const Entry& each : ascending)
      other[counts[digit][ascending_bits(each.estimate) >> (digit * kBits) & kMask]++] = each;
    ascending.swap(other);
  }
}

}  // namespace lookalike
