// Segment files of format version 1, of which only the rows are read, as hostile hands could make them.

#include <cstdint>
#include <limits>
#include <vector>

#include "check.hpp"
#include "engine/base/errors.hpp"
#include "engine/index/index.hpp"
#include "segment_writer.hpp"
#include "use_index.hpp"

using namespace lookalike;

namespace {

struct OldParts {
  static constexpr std::uint64_t kRows = 60, kDim = 5;

  std::vector<std::uint64_t> shape = {kRows, kDim, 1, 1000};   // rows, dim, seed, next id
  std::vector<std::uint32_t> more = {0, 3, 8, 0, 0, 0, 0, 0};  // metric, and what its tables were
  std::vector<std::int64_t> ids;
  std::vector<float> inverse_norms, vectors;

  OldParts() {
    for (std::uint64_t row = 0; row < kRows; ++row) {
      ids.push_back(static_cast<std::int64_t>(row * 77 % 1000));
      inverse_norms.push_back(1.0F);
      for (std::uint64_t i = 0; i < kDim; ++i) vectors.push_back(row % kDim == i ? 1.0F : 0.0F);
    }
  }

  Bytes file() const {
    Bytes whole = bytes_of(shape);
    const Bytes rest = bytes_of(more);
    whole.insert(whole.end(), rest.begin(), rest.end());
    RawFile raw;
    raw.version = 1;
    raw.sections = {
        {"1", whole}, {"3", bytes_of(ids)}, {"5", bytes_of(inverse_norms)}, {"4", bytes_of(vectors)}};
    raw.lay_out();
    return raw.finish();
  }
};

template <class Change>
void refused_v1(const char* words, Change change) {
  OldParts parts;
  change(parts);
  TemporaryPath temporary;
  CHECK_THROWS(DamagedError, words, Index(temporary.write(parts.file())));
}

}  // namespace

TEST(rows_of_version_1_are_found_whatever_they_hold) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const float value : {1.0F, 0.0F, std::numeric_limits<float>::quiet_NaN(), kInf, -3e38F}) {
    OldParts parts;
    parts.vectors[7] = parts.vectors.back() = parts.inverse_norms[20] = value;
    TemporaryPath temporary;
    Index index(temporary.write(parts.file()));
    CHECK(index.size() == OldParts::kRows && index.buckets() == 0);
    use_and_change(index);
  }
}

TEST(parts_of_version_1_that_do_not_fit_are_refused) {
  refused_v1("there twice", [](OldParts& parts) { parts.ids[3] = parts.ids[40]; });
  refused_v1("negative", [](OldParts& parts) { parts.ids[3] = -1; });
  refused_v1("largest one ever used", [](OldParts& parts) { parts.shape[3] = 900; });
  refused_v1("wrong length", [](OldParts& parts) { parts.ids.pop_back(); });
  refused_v1("wrong length", [](OldParts& parts) { parts.inverse_norms.pop_back(); });
  refused_v1("wrong length", [](OldParts& parts) { parts.vectors.pop_back(); });
  refused_v1("wrong length", [](OldParts& parts) { parts.more.push_back(0); });
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1} << 20, std::uint64_t{1} << 32,
                                    std::uint64_t{1} << 63, ~std::uint64_t{0}})
    for (const std::size_t field : {0U, 1U})
      refused_v1("", [&](OldParts& parts) { parts.shape[field] = value; });
  for (const std::uint32_t metric : {4U, 5U, 0xFFFFFFFFU})
    refused_v1("no sense", [&](OldParts& parts) { parts.more[0] = metric; });
}
