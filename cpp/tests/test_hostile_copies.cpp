// Files with copies of rows, and with operating points, in which something does not fit.
#include <algorithm>
#include <cmath>
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

TEST(operating_points_of_a_file_are_used) {
  Parts sound;
  sound.add_points();
  TemporaryPath temporary;
  const Index index(temporary.write(sound.file()));
  const SearchResult found =
      index.search(sound.vectors.data(), 1, SearchOptions{.k = 10, .recall = 0.85, .only = {}}, Interrupt());
  CHECK(found.ids[0] == sound.ids[0], found.ids[0], sound.ids[0]);
  CHECK(std::abs(found.stages[0].recall() - double{0.9F}) < 1e-12, found.stages[0].recall());
  CHECK(found.stages[0].probes < Parts::kBuckets, found.stages[0].probes);
}

TEST(operating_points_of_a_hostile_file_that_make_no_sense_are_refused) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInf = std::numeric_limits<float>::infinity();
  constexpr std::size_t kFields = 6;
  const auto changed = [](const char* words, auto change) {
    refused(words, [&](Parts& parts) { parts.add_points(), change(parts); });
  };
  for (const float value : {kNan, kInf, -kInf}) {
    for (std::size_t field = 0; field < 45 * kFields; ++field)
      changed("operating points make no sense", [&](Parts& parts) { parts.points[field] = value; });
    for (std::size_t level = 0; level < 9; ++level) {
      changed("operating points make no sense", [&](Parts& parts) { parts.levels[level].error = value; });
      changed("operating points make no sense", [&](Parts& parts) { parts.levels[level].usual_e = value; });
      if (std::isnan(value))
        changed("operating points make no sense", [&](Parts& parts) {
          parts.farthest.assign(9, 1.0F);
          parts.farthest[level] = value;
        });
    }
    for (std::size_t field = 0; field < 31; ++field)
      changed("expected hits make no sense", [&](Parts& parts) { parts.hits[field] = value; });
    for (std::size_t field = 0; field < 2 * Parts::kBuckets; ++field)
      changed("expected hits make no sense", [&](Parts& parts) { parts.spreads[field] = value; });
  }
  for (const std::size_t field : {1U, 2U, 3U, 4U, 5U})
    changed("operating points make no sense", [&](Parts& parts) { parts.points[field] = 0.0F; });
  changed("operating points make no sense", [](Parts& parts) { parts.points[3] = 1.1F; });
  for (const float degree : {-1.0F, 1.0F, 5.0F, 1e30F})  // of the first; it has another then, or none
    changed("operating points make no sense", [&](Parts& parts) { parts.points[0] = degree; });
  changed("operating points make no sense", [](Parts& parts) { parts.levels[0].error = -1.0F; });
  changed("expected hits make no sense", [](Parts& parts) { parts.spreads[0] = 0.0F; });
  changed("expected hits make no sense", [](Parts& parts) { parts.spreads[1] = -1.0F; });
  for (const std::uint32_t points : {0U, 4U, 0x7FFFFFFFU, 0xFFFFFFFFU})
    changed("wrong length", [&](Parts& parts) { parts.levels[1].points = points; });
  changed("wrong length", [](Parts& parts) { parts.points.pop_back(); });
  changed("wrong length", [](Parts& parts) { parts.levels.pop_back(); });
  for (const std::size_t levels : {8U, 10U})
    changed("wrong length", [&](Parts& parts) { parts.farthest.assign(levels, 1.0F); });
  changed("wrong length", [](Parts& parts) { parts.hits.clear(); });
  changed("wrong length", [](Parts& parts) { parts.hits.pop_back(); });
  changed("wrong length", [](Parts& parts) { parts.spreads.pop_back(); });
}

TEST(operating_points_of_a_hostile_file_that_only_spoil_answers_are_harmless) {
  for (const float value : {1e-30F, 1e9F})
    for (const std::size_t field : {2U, 4U, 5U})
      harmless([&](Parts& parts) {
        parts.add_points();
        for (std::size_t at = field; at < parts.points.size(); at += 6) parts.points[at] = value;
      });
  for (const float missed : {1e-45F, 1e-30F, 1.0F})
    harmless([&](Parts& parts) {
      parts.add_points();
      for (std::size_t at = 3; at < parts.points.size(); at += 6) parts.points[at] = missed;
    });
  for (const float value : {-3e38F, 3e38F})
    harmless([&](Parts& parts) {
      parts.add_points();
      for (Parts::Level& level : parts.levels) level = {3e38F, value, level.points};
    });
  for (const float value : {-3e38F, 0.0F, 3e38F}) {
    for (std::size_t field = 0; field < 31; ++field)
      harmless([&](Parts& parts) { parts.add_points(), parts.hits[field] = value; });
    harmless([&](Parts& parts) { parts.add_points(), std::ranges::fill(parts.hits, value); });
  }
  for (const float value : {1e-38F, 3e38F})
    harmless([&](Parts& parts) { parts.add_points(), parts.spreads[0] = value; });
  harmless([](Parts& parts) {
    parts.add_points();
    for (std::size_t i = 1; i < parts.spreads.size(); i += 2) parts.spreads[i] = 0.0F;
  });
}
