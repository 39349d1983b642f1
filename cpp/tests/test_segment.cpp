// Segment files as docs/format.md has them.

#include <algorithm>
#include <cmath>
#include <vector>

#include "check.hpp"
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
  harmless([](Parts& parts) { parts.more[0] = 2, parts.inverse_norms.clear(); });
  harmless([](Parts& parts) { parts.unhash(); });
  harmless([](Parts& parts) { parts.sketch_width = 3; });  // as large: two groups are filled up to four too
}

TEST(a_budget_of_the_curve_is_used_where_it_is_cheaper_than_a_scan) {
  Parts parts;
  std::ranges::fill(parts.curve, 1.0F);
  TemporaryPath temporary;
  const Index index(temporary.write(parts.file()));
  const SearchResult found = index.search(parts.vectors.data(), 1, {.k = 1, .only = {}}, {});
  CHECK(found.stages[0].probes == 1 && found.stages[0].candidates <= 1 && found.recall == 1.0);
}

TEST(a_segment_of_a_rotation_opens) {
  harmless([](Parts& parts) { parts.more[5] = 0, parts.left_out.push_back(12); });
  harmless([](Parts& parts) {  // under dot there is a dimension more, so m may be 8
    parts.more[0] = 3, parts.more[4] = 8, parts.more[5] = 0;
    parts.inverse_norms.clear();
    parts.left_out.push_back(12);
    parts.middle.assign(5, 0.0F);
    for (auto* centres : {&parts.group_centres, &parts.centres}) centres->resize(2 * centres->size());
    parts.bytes.resize(std::size_t{Parts::kRows} * (8 + 8));
    parts.sketches.assign(std::size_t{Parts::kBuckets} * 2 * 320, 0);
  });
}
