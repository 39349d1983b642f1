// Everything that can be asked of an index, whatever file it came from: nothing may crash or trip a
// sanitizer, and what is found is there.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "check.hpp"
#include "engine/index/index.hpp"
#include "segment_writer.hpp"

/// Three queries of an index's own form: a constant one, one that is stored, and an axis.
class Questions {
 public:
  static constexpr std::size_t kCount = 3;

  explicit Questions(const lookalike::Index& index)
      : packed_(index.shape().store == lookalike::Store::bits), floats_(kCount * index.shape().dim, 0.5F) {
    const std::size_t dim = index.shape().dim;
    const std::vector<float> stored = index.vector(index.ids()[0]);
    for (std::size_t i = 0; i < dim; ++i) {
      const float size = std::abs(stored[i]);
      floats_[dim + i] = size > 1e-10F && size < 1e10F ? stored[i] : 1.0F;  // NaN is neither
      floats_[2 * dim + i] = i == 0 ? 1.0F : 0.0F;
    }
    for (std::size_t i = 0; packed_ && i < floats_.size(); i += 8) {
      unsigned byte = 0;
      for (std::size_t j = 0; j < 8; ++j) byte |= unsigned{floats_[i + j] > 0} << (7 - j);
      bits_.push_back(static_cast<std::uint8_t>(byte));
    }
  }

  const void* data() const { return packed_ ? static_cast<const void*>(bits_.data()) : floats_.data(); }

 private:
  bool packed_;
  std::vector<float> floats_;
  std::vector<std::uint8_t> bits_;
};

inline void check_answers(const lookalike::Index& index, const lookalike::SearchResult& found,
                          const lookalike::SearchOptions& options) {
  for (std::size_t i = 0; i < found.ids.size(); ++i) {
    CHECK(!std::isnan(found.distances[i]));
    CHECK(found.ids[i] == -1 ? std::isinf(found.distances[i]) : index.contains(found.ids[i]));
    if (found.ids[i] == -1) continue;
    if (options.only != nullptr) CHECK(options.only->admits(found.ids[i]));
    CHECK(found.distances[i] <= options.max_distance);
  }
  for (std::size_t begin = 0; begin < found.ids.size(); begin += options.k) {
    std::set<std::int64_t> ids;
    for (std::size_t i = begin; i < begin + options.k; ++i)
      CHECK(found.ids[i] == -1 || ids.insert(found.ids[i]).second, "found twice", found.ids[i]);
  }
}

inline void search_all_ways(const lookalike::Index& index) {
  const Questions questions(index);
  const std::vector<std::int64_t> ids = index.ids();
  std::vector<std::int64_t> some = ids;
  std::erase_if(some, [](std::int64_t id) { return id % 3 == 0; });
  const lookalike::Filter only(some);
  std::vector<lookalike::SearchOptions> ways(9);
  ways[0].exact = true;
  ways[1].probes = 1;
  ways[2] = {.k = 300, .probes = 5, .rerank = 1, .only = {}};
  ways[3] = {.k = 3, .probes = 0x7FFFFFFF, .rerank = 0x7FFFFFFF, .only = {}};
  ways[4].recall = 0.01;
  ways[5] = {.recall = 0.999, .max_distance = 0.5F, .only = {}};
  ways[6] = {.k = 1, .probes = 3, .rerank = 0xFFFFFFFF, .only = &only};
  ways[7] = {.k = 30, .recall = 0.2, .only = &only};
  ways[8] = {.k = 100, .recall = 0.5, .max_distance = -1.0F, .only = {}};
  for (lookalike::SearchOptions& way : ways) {
    way.threads = way.exact ? 2 : 1;
    check_answers(index, index.search(questions.data(), Questions::kCount, way, {}), way);
    index.explain(questions.data(), way, ids[ids.size() / 2]);
  }
  lookalike::SearchOptions near;
  for (const float radius : {0.0F, 0.5F, 1e15F}) {
    near.max_distance = radius;
    near.threads = 1;
    for (const float distance : index.range_search(questions.data(), Questions::kCount, near, {}).distances)
      CHECK(distance <= radius);
  }
}

/// Also what measures anew.
inline void use(lookalike::Index& index) {
  search_all_ways(index);
  for (const std::int64_t id : index.ids()) CHECK(index.vector(id).size() == index.shape().dim);
  const Questions questions(index);
  index.tune(questions.data(), Questions::kCount, 1, {});
  check_answers(index, index.search(questions.data(), Questions::kCount, {}, {}), {});
}

/// Also what seals anew and writes.
inline void use_and_change(lookalike::Index& index) {
  use(index);
  const Questions more(index);
  const auto added = index.add(more.data(), Questions::kCount, nullptr, false);
  index.remove({added.data(), 1});
  const std::int64_t first = index.ids()[0];
  index.remove({&first, 1});
  search_all_ways(index);
  index.optimize(2, {});
  search_all_ways(index);
  TemporaryPath temporary;
  index.save(temporary.path(), "", false, {});
  const lookalike::Index again(temporary.path());
  CHECK(again.size() == index.size() && again.buckets() == index.buckets());
  search_all_ways(again);
}
