// Bits that are shared: a version in which some are cleared has only their pages anew.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/bits.hpp"

namespace lookalike {

/// One bit for each row of a segment, for searches that read it while the next version is made.
class PagedBits {
 public:
  static constexpr std::size_t kPage = 32768;  // bits: 4 KiB, which a removal copies

  PagedBits() = default;
  explicit PagedBits(const Bits& bits) : size_(bits.size()) {
    for (std::size_t first = 0; first < bits.words().size(); first += kWords) {
      auto page = std::make_shared<Page>();
      const std::size_t here = std::min(kWords, bits.words().size() - first);
      std::copy_n(bits.words().data() + first, here, page->data());
      pages_.push_back(std::move(page));
    }
  }
  PagedBits(std::size_t count, bool value) : PagedBits(Bits(count, value)) {}

  std::size_t size() const { return size_; }
  bool operator[](std::size_t i) const {
    return ((*pages_[i / kPage])[i % kPage / 64] >> (i % 64) & 1U) != 0;
  }

  std::size_t count() const { return count(0, size_); }

  /// How many of [begin, end) are set.
  std::size_t count(std::size_t begin, std::size_t end) const {
    std::size_t ones = 0;
    for (std::size_t i = begin; i < end; i = (i / kPage + 1) * kPage)
      ones += count_bits(pages_[i / kPage]->data(), i % kPage, end_in_page(i, end));
    return ones;
  }

  /// The first of [begin, end) that is set, or end.
  std::size_t next(std::size_t begin, std::size_t end) const {
    for (std::size_t i = begin; i < end; i = (i / kPage + 1) * kPage) {
      const std::size_t last = end_in_page(i, end);
      const std::size_t found = next_bit(pages_[i / kPage]->data(), i % kPage, last);
      if (found < last) return i / kPage * kPage + found;
    }
    return end;
  }

  /// How many pages are the same as another's, in one place of the memory.
  std::size_t shared_with(const PagedBits& other) const {
    std::size_t shared = 0;
    for (std::size_t i = 0; i < std::min(pages_.size(), other.pages_.size()); ++i)
      shared += std::size_t{pages_[i] == other.pages_[i]};
    return shared;
  }

  /// Clears those of as many bits that are not set here.
  void keep_of(Bits& bits) const {
    for (std::size_t first = 0; first < bits.words().size(); first += kWords)
      for (std::size_t i = first; i < std::min(first + kWords, bits.words().size()); ++i)
        bits.mask(i, (*pages_[first / kWords])[i - first]);
  }

  /// These, but with those cleared; `rows` ascend.
  PagedBits without(std::span<const std::uint32_t> rows) const {
    PagedBits made = *this;
    for (std::size_t i = 0; i < rows.size();) {
      const std::size_t number = rows[i] / kPage;
      auto page = std::make_shared<Page>(*pages_[number]);
      for (; i < rows.size() && rows[i] / kPage == number; ++i)
        (*page)[rows[i] % kPage / 64] &= ~(std::uint64_t{1} << (rows[i] % 64));
      made.pages_[number] = std::move(page);
    }
    return made;
  }

 private:
  static constexpr std::size_t kWords = kPage / 64;
  using Page = std::array<std::uint64_t, kWords>;

  static std::size_t end_in_page(std::size_t i, std::size_t end) {
    return std::min(end - i / kPage * kPage, kPage);
  }

  std::vector<std::shared_ptr<const Page>> pages_;
  std::size_t size_ = 0;
};

}  // namespace lookalike
