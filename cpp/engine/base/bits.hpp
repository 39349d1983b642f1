// One bit for each row: who may be found.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lookalike {

/// How many bits of [begin, end) are set.
inline std::size_t count_bits(const std::uint64_t* words, std::size_t begin, std::size_t end) {
  std::size_t ones = 0;
  for (std::size_t i = begin; i < end;) {
    const std::size_t here = std::min(end, (i / 64 + 1) * 64);
    const std::uint64_t word = words[i / 64] >> (i % 64);
    const std::size_t width = here - i;
    ones += static_cast<std::size_t>(
        std::popcount(width == 64 ? word : word & ((std::uint64_t{1} << width) - 1)));
    i = here;
  }
  return ones;
}

/// The first bit of [begin, end) that is set, or end.
inline std::size_t next_bit(const std::uint64_t* words, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; i = (i / 64 + 1) * 64)
    if (const std::uint64_t word = words[i / 64] >> (i % 64); word != 0)
      return std::min(end, i + static_cast<std::size_t>(std::countr_zero(word)));
  return end;
}

class Bits {
 public:
  Bits() = default;
  Bits(std::size_t count, bool value) { resize(count, value); }

  std::size_t size() const { return size_; }
  bool operator[](std::size_t i) const { return (words_[i / 64] >> (i % 64) & 1U) != 0; }
  void set(std::size_t i) { words_[i / 64] |= std::uint64_t{1} << (i % 64); }
  void clear(std::size_t i) { words_[i / 64] &= ~(std::uint64_t{1} << (i % 64)); }

  /// New bits have this value.
  void resize(std::size_t count, bool value) {
    for (std::size_t i = count; i < size_ && i % 64 != 0; ++i)
      clear(i);  // what is cut off must not come back
    for (; value && size_ < count && size_ % 64 != 0; ++size_) set(size_);
    words_.resize((count + 63) / 64, value ? ~std::uint64_t{0} : 0);
    size_ = count;
    if (size_ % 64 != 0) words_.back() &= (std::uint64_t{1} << (size_ % 64)) - 1;
  }

  /// All bits of another, behind these.
  void append(const Bits& others) {
    const std::size_t first = size_ / 64, shift = size_ % 64;
    resize(size_ + others.size_, false);
    for (std::size_t i = 0; i < others.words_.size(); ++i) {
      words_[first + i] |= others.words_[i] << shift;
      if (shift > 0 && first + i + 1 < words_.size())
        words_[first + i + 1] |= others.words_[i] >> (64 - shift);
    }
  }
  /// Clears those that are not set in another of the same size.
  void keep_of(const Bits& others) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= others.words_[i];
  }

  std::size_t count() const { return count(0, size_); }
  std::size_t count(std::size_t begin, std::size_t end) const {
    return count_bits(words_.data(), begin, end);
  }
  std::size_t next(std::size_t begin, std::size_t end) const { return next_bit(words_.data(), begin, end); }
  /// Clears those of the 64 bits from 64 · i on that are not set in `word`.
  void mask(std::size_t i, std::uint64_t word) { words_[i] &= word; }
  const std::vector<std::uint64_t>& words() const { return words_; }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t size_ = 0;
};

}  // namespace lookalike
