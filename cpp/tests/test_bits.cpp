#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "check.hpp"
#include "engine/base/bits.hpp"
#include "engine/base/paged_bits.hpp"

using lookalike::Bits, lookalike::PagedBits;

namespace {

std::size_t count_of(const std::vector<bool>& bits, std::size_t begin, std::size_t end) {
  std::size_t ones = 0;
  for (std::size_t i = begin; i < end; ++i) ones += bits[i] ? 1 : 0;
  return ones;
}

void check_same(const Bits& bits, const std::vector<bool>& expected) {
  CHECK(bits.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(bits[i] == expected[i], i);
  CHECK(bits.count() == count_of(expected, 0, expected.size()));
}

}  // namespace

TEST(bits_are_what_was_set_and_cleared) {
  std::mt19937 random(1);
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 127U, 128U, 1000U})
    for (const bool value : {false, true}) {
      Bits bits(size, value);
      std::vector<bool> expected(size, value);
      check_same(bits, expected);
      for (std::size_t step = 0; step < 2 * size; ++step) {
        const std::size_t i = random() % size;
        const bool on = random() % 2 != 0;
        on ? bits.set(i) : bits.clear(i);
        expected[i] = on;
      }
      check_same(bits, expected);
    }
}

TEST(bits_are_counted_over_every_range) {
  std::mt19937 random(2);
  Bits bits(300, false);
  std::vector<bool> expected(300);
  for (std::size_t i = 0; i < 300; ++i)
    if (random() % 3 == 0) {
      bits.set(i);
      expected[i] = true;
    }
  for (std::size_t begin = 0; begin <= 300; ++begin)
    for (std::size_t end = begin; end <= 300; ++end)
      CHECK(bits.count(begin, end) == count_of(expected, begin, end), begin, end);
}

TEST(the_next_bit_is_found_in_every_range) {
  std::mt19937 random(4);
  for (const unsigned one_in : {1U, 3U, 100U, 1000U}) {
    Bits bits(300, false);
    for (std::size_t i = 0; i < 300; ++i)
      if (random() % one_in == 0) bits.set(i);
    for (std::size_t begin = 0; begin <= 300; ++begin)
      for (std::size_t end = begin; end <= 300; ++end) {
        std::size_t expected = begin;
        while (expected < end && !bits[expected]) ++expected;
        CHECK(bits.next(begin, end) == expected, begin, end);
      }
  }
}

TEST(bits_that_are_new_have_the_value_asked_for_also_where_there_were_others_before) {
  std::mt19937 random(3);
  Bits bits;
  std::vector<bool> expected;
  for (int round = 0; round < 300; ++round) {
    const std::size_t size = random() % 200;
    const bool value = random() % 2 != 0;
    bits.resize(size, value);
    expected.resize(size, value);
    check_same(bits, expected);
  }
}

TEST(paged_bits_are_as_those_they_were_made_of_and_share_what_is_not_cleared) {
  std::mt19937 random(5);
  constexpr std::size_t kPage = PagedBits::kPage;
  for (const std::size_t size : {0UL, 1UL, 700UL, kPage - 1, kPage, kPage + 1, 3 * kPage + 77}) {
    Bits bits(size, false);
    for (std::size_t i = 0; i < size; ++i)
      if (random() % 3 != 0) bits.set(i);
    const PagedBits before(bits);
    std::vector<std::uint32_t> cleared;
    Bits left = bits;
    for (std::uint32_t i = 0; i < size; ++i)
      if (random() % 5000 == 0) cleared.push_back(i), left.clear(i);
    const PagedBits after = before.without(cleared);
    for (const auto& [paged, plain] : {std::pair(&before, &bits), std::pair(&after, &left)}) {
      CHECK(paged->size() == size && paged->count() == plain->count());
      for (std::size_t i = 0; i < size; ++i) CHECK((*paged)[i] == (*plain)[i], i);
      for (int round = 0; round < 200 && size > 0; ++round) {
        const std::size_t begin = random() % (size + 1), end = begin + random() % (size + 1 - begin);
        CHECK(paged->count(begin, end) == plain->count(begin, end), begin, end);
        CHECK(paged->next(begin, end) == plain->next(begin, end), begin, end);
      }
    }
    Bits kept(size, true);
    after.keep_of(kept);
    CHECK(kept.words() == left.words());
  }
}

TEST(bits_are_put_behind_others_and_kept_of_others) {
  std::mt19937 random(2);
  for (const std::size_t first : {0U, 1U, 63U, 64U, 65U, 200U})
    for (const std::size_t more : {0U, 1U, 63U, 64U, 65U, 130U}) {
      std::vector<bool> expected(first + more);
      Bits bits(first, false), behind(more, false), thirds(first + more, false);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        expected[i] = random() % 2 != 0;
        if (expected[i]) i < first ? bits.set(i) : behind.set(i - first);
        if (i % 3 == 0) thirds.set(i);
      }
      bits.append(behind);
      check_same(bits, expected);
      bits.keep_of(thirds);
      for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = expected[i] && i % 3 == 0;
      check_same(bits, expected);
    }
}
