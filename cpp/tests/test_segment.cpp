// Segment files as docs/format.md has them.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "check.hpp"
#include "engine/base/errors.hpp"
#include "engine/index/index.hpp"
#include "segment_parts.hpp"

using namespace lookalike;

TEST(a_segment_written_by_the_page_of_the_format_is_an_index) {
  const Parts sound;
  TemporaryPath temporary;
  const Index index(temporary.write(sound.file()));
  CHECK(index.size() == Parts::kRows && index.buckets() == Parts::kBuckets && index.note() == "{}");
  for (std::size_t row = 0; row < Parts::kRows; row += 7) {
    const float* query = sound.vectors.data() + row * Parts::kDim;
    const SearchResult exact = index.search(query, 1, {.k = 5, .exact = true, .only = {}}, {});
    CHECK(exact.ids[0] == sound.ids[row] && std::abs(exact.distances[0]) < 1e-6F);
    const SearchResult one = index.search(query, 1, {.k = 5, .probes = 1, .rerank = 40, .only = {}}, {});
    CHECK(one.ids[0] == sound.ids[row] && one.stages[0].scanned == Parts::kEach, row);
    const SearchResult all = index.search(query, 1, {.k = 5, .probes = 11, .rerank = 480, .only = {}}, {});
    CHECK(all.ids == exact.ids && all.distances == exact.distances, row);
  }
  harmless([](Parts&) {}, use_and_change);
  harmless([](Parts& parts) { parts.make_euclidean(); });
  harmless([](Parts& parts) { parts.metric = 2, parts.inverse_norms.clear(); });
  harmless([](Parts& parts) { parts.unhash(); });
  harmless([](Parts& parts) { parts.router[4] = 3; });  // as large: two groups are filled up to four too
}

TEST(a_budget_of_the_curve_is_used_where_it_is_cheaper_than_a_scan) {
  Parts parts;
  std::ranges::fill(parts.curve, 1.0F);
  TemporaryPath temporary;
  const Index index(temporary.write(parts.file()));
  const SearchResult found = index.search(parts.vectors.data(), 1, {.k = 1, .only = {}}, {});
  CHECK(found.stages[0].probes == 1 && found.stages[0].candidates <= 1 && found.recall() == 1.0);
}

TEST(a_segment_of_a_rotation_opens) {
  harmless([](Parts& parts) { parts.router[3] = 0, parts.left_out.push_back("router/projection"); });
  harmless([](Parts& parts) {  // under dot there is a dimension more, so m may be 8
    parts.metric = 3, parts.router[2] = 8, parts.router[3] = 0;
    parts.inverse_norms.clear();
    parts.left_out.push_back("router/projection");
    parts.middle.assign(5, 0.0F);
    for (auto* centres : {&parts.group_centres, &parts.centres}) centres->resize(2 * centres->size());
    parts.bytes.resize(std::size_t{Parts::kRows} * (8 + 8));
    parts.sketches.assign(std::size_t{Parts::kBuckets} * 2 * 320, 0);
  });
}

TEST(a_file_says_which_sections_a_reader_must_know) {
  harmless([](Parts& parts) { parts.others = {{"bitmap/of_colour", Bytes(40), 1}}; }, use_and_change);
  const auto newer = [](const char* words, auto change) {
    Parts parts;
    change(parts);
    TemporaryPath temporary;
    const std::string path = temporary.write(parts.file());
    CHECK_THROWS(NotAnIndexError, words, Index(path));
    salvage(path);
  };
  newer("has a section \"names\" that this lookalike does not know; install a newer lookalike",
        [](Parts& parts) { parts.others = {{"names", Bytes(40)}}; });
  newer("has a section \"router/prefix\" that",
        [](Parts& parts) { parts.others = {{"router/prefix", Bytes(1)}}; });
  for (const std::uint32_t flags : {2U, 3U, 0x80000000U})
    newer("has a form of the section \"colours\" that",
          [&](Parts& parts) { parts.others = {{"colours", Bytes(1), flags}}; });
  newer("has a hash family that", [](Parts& parts) { parts.family = "minhash"; });
  newer("has a metric that", [](Parts& parts) { parts.metric = kMetrics; });
  newer("has a store that", [](Parts& parts) { parts.store = kStores; });
  newer("has a router in another file that", [](Parts& parts) { parts.left_out = {"router/shape"}; });
  for (const std::uint32_t width : {0U, 1U, 2U, 5U, 16U, 0xFFFFFFFFU})
    newer("has sketches that", [&](Parts& parts) { parts.router[4] = width; });
}

TEST(a_router_is_named_by_its_hash) {
  refused("its router is not the one that its rows lie by", [](Parts& parts) { parts.misnamed = true; });
}
