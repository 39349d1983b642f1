// Files with copies of rows, and with margins, in which something does not fit.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "check.hpp"
#include "segment_parts.hpp"

using namespace lookalike;

TEST(a_segment_with_copies_is_an_index) {
  Parts sound;
  sound.add_copies();
  TemporaryPath temporary;
  const Index index(temporary.write(sound.file()));
  CHECK(index.size() == Parts::kRows + 204 && index.buckets() == Parts::kBuckets);
  const float* last = sound.vectors.data() + (Parts::kRows - 1) * Parts::kDim;
  for (const SearchOptions& way : {SearchOptions{.k = 100, .probes = 1, .rerank = 5, .only = {}},
                                   SearchOptions{.k = 100, .exact = true, .only = {}}}) {
    const SearchResult found = index.search(last, 1, way, Interrupt());
    CHECK(found.ids[0] == sound.ids[Parts::kRows - 1] && found.ids[1] == sound.ids[Parts::kRows + 4] &&
          found.ids[99] == sound.ids[Parts::kRows + 102] && found.distances[99] == found.distances[0]);
  }
  harmless([](Parts& parts) { parts.add_copies(); });
  harmless([](Parts& parts) { parts.add_copies(), parts.make_euclidean(); });
  harmless([](Parts& parts) { parts.add_copies(), parts.unhash(); });
}

TEST(copies_of_a_hostile_file_that_make_no_sense_are_refused) {
  const auto with_copies_refused = [](const char* words, auto change) {
    refused(words, [&](Parts& parts) { parts.add_copies(), change(parts); });
    refused(words, [&](Parts& parts) { parts.add_copies(), parts.unhash(), change(parts); });
  };
  for (const std::uint32_t copies : {Parts::kRows + 204, 0xFFFFFFFFU})
    with_copies_refused("no sense", [&](Parts& parts) { parts.copies = copies; });
  for (const std::uint32_t copies : {0U, 1U, 203U, 205U})
    with_copies_refused("wrong length", [&](Parts& parts) { parts.copies = copies; });
  with_copies_refused("wrong length", [](Parts& parts) { parts.left_out.push_back("copies"); });
  with_copies_refused("wrong length", [](Parts& parts) { parts.copy_starts.pop_back(); });
  with_copies_refused("wrong length", [](Parts& parts) { parts.copy_starts.push_back(Parts::kRows + 204); });
  refused("wrong length", [](Parts& parts) { parts.copies = 1; });
  for (const std::uint32_t start : {0U, Parts::kRows - 1, Parts::kRows + 205, 0xFFFFFFFFU})
    for (const std::size_t at : {std::size_t{0}, std::size_t{1}, std::size_t{77}, std::size_t{Parts::kRows}})
      with_copies_refused("do not follow", [&](Parts& parts) { parts.copy_starts[at] = start; });
}

TEST(copies_of_a_hostile_file_that_only_spoil_answers_are_harmless) {
  harmless([](Parts& parts) {  // that are none
    parts.add_copies();
    std::ranges::reverse(parts.vectors);
  });
  harmless([](Parts& parts) {  // whose ids are smaller than that of their original
    parts.add_copies();
    std::ranges::reverse(parts.ids);
    std::ranges::sort(parts.by_id, {}, [&](std::uint32_t row) { return parts.ids[row]; });
  });
  harmless([](Parts& parts) {  // all of the first
    parts.add_copies();
    std::fill(parts.copy_starts.begin() + 1, parts.copy_starts.end(), Parts::kRows + 204);
  });
  harmless([](Parts& parts) {
    parts.add_copies(), std::ranges::fill(parts.vectors, std::numeric_limits<float>::quiet_NaN());
  });
}

TEST(margins_of_a_file_are_used) {
  Parts sound;
  sound.add_margins();
  TemporaryPath temporary;
  const Index index(temporary.write(sound.file()));
  const SearchResult found =
      index.search(sound.vectors.data(), 1, SearchOptions{.k = 10, .recall = 0.85, .only = {}}, Interrupt());
  CHECK(found.ids[0] == sound.ids[0], found.ids[0], sound.ids[0]);
  CHECK(found.recall == double{0.9F}, found.recall);
  CHECK(found.stages[0].probes < Parts::kBuckets, found.stages[0].probes);
}

TEST(margins_of_a_hostile_file_that_make_no_sense_are_refused) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInf = std::numeric_limits<float>::infinity();
  for (std::size_t field = 0; field < 35; ++field)
    for (const float value : {kNan, kInf, -kInf})
      refused("margins make no sense",
              [&](Parts& parts) { parts.add_margins(), parts.margins[field] = value; });
  for (const std::size_t field : {2U, 3U, 4U, 5U, 6U})
    refused("margins make no sense", [&](Parts& parts) { parts.add_margins(), parts.margins[field] = 0.0F; });
  for (const std::uint32_t steps : {0U, 2U, 0x7FFFFFFFU, 0xFFFFFFFFU})
    refused("wrong length", [&](Parts& parts) { parts.add_margins(), parts.margin_steps[1] = steps; });
  refused("wrong length", [](Parts& parts) { parts.add_margins(), parts.margins.pop_back(); });
}

TEST(margins_of_a_hostile_file_that_only_spoil_answers_are_harmless) {
  for (std::size_t field = 1; field < 7; ++field)
    for (const float value : {1e-30F, 1e9F})
      harmless([&](Parts& parts) {
        parts.add_margins(), parts.margins[field] = parts.margins[7 + field] = value;
      });
  harmless([](Parts& parts) { parts.add_margins(), parts.margins[1] = parts.margins[8] = -3e38F; });
}
