#include "engine/hash/coded_family.hpp"

#include <algorithm>
#include <utility>

#include "engine/hash/hash_scratch.hpp"
#include "engine/tuning.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kMostCodes = std::size_t{1} << 24;

std::unique_ptr<const Coder> draw(const CodeKind& kind, const CodeLayout& layout, std::size_t m,
                                  std::uint64_t seed) {
  return kind.draw(layout, m, ~seed);  // the projection may be drawn from it
}

}  // namespace

std::size_t sample_for_codes(FamilyChoice, std::size_t) {
  return 16384;
}

std::unique_ptr<HashFamily> make_coded(const CodeKind& kind, FamilyChoice choice, const FamilySample& from) {
  const std::uint32_t tables =
      std::min(choice.tables > 0 ? choice.tables : tuning::kCodedTables,
               static_cast<std::uint32_t>(UINT32_MAX / from.rows));  // entries are numbered in 32 bits
  const std::size_t asked = choice.buckets > 0 ? std::min<std::size_t>(choice.buckets, from.rows)
                                               : from.rows / tuning::kRowsPerCode;
  const CodeLayout layout = kind.layout_for(tables, std::clamp<std::size_t>(asked, 2, kMostCodes), from.m);
  return std::make_unique<CodedFamily>(draw(kind, layout, from.m, from.seed), layout, from.m);
}

std::unique_ptr<HashFamily> open_coded(const CodeKind& kind, const PartSource& parts, std::uint32_t buckets,
                                       std::size_t m, std::uint64_t seed) {
  const CodeLayout layout = parts.get<CodeLayout>("codes", 1)[0];
  const std::size_t codes = kind.codes_of(layout, m);
  if (codes == 0 || codes > kMostCodes || layout.tables == 0 || layout.tables > kMaxTables)
    parts.damaged("its codes make no sense");
  const auto bucket_of = parts.get<std::uint32_t>("bucket_of", layout.tables * codes);
  const auto centres = parts.get<float>("centres", buckets * m);
  return std::make_unique<CodedFamily>(draw(kind, layout, m, seed), layout, m, Column(bucket_of),
                                       Column(centres));
}

CodedFamily::CodedFamily(std::unique_ptr<const Coder> coder, CodeLayout layout, std::size_t m)
    : coder_(std::move(coder)), layout_(layout), m_(m), buckets_(coder_->tables() * coder_->codes()) {}

CodedFamily::CodedFamily(std::unique_ptr<const Coder> coder, CodeLayout layout, std::size_t m,
                         Column<std::uint32_t> bucket_of, Column<float> centres)
    : coder_(std::move(coder)),
      layout_(layout),
      m_(m),
      buckets_(static_cast<std::uint32_t>(centres.size() / m)),
      bucket_of_(std::move(bucket_of)),
      centres_(std::move(centres)) {}

std::vector<NamedBytes> CodedFamily::parts() const {
  return {named("codes", std::span(&layout_, 1)), named("bucket_of", bucket_of_.view()),
          named("centres", centres_.view())};
}

std::string CodedFamily::problem() const {
  const auto of = bucket_of_.view();
  if (of.size() != std::size_t{coder_->tables()} * coder_->codes())
    return "it has not one place for each code";
  std::uint32_t next = 0;  // as drop_empty numbers them: else one bucket could be visited for many codes
  for (const std::uint32_t bucket : of)
    if (bucket != kNoBucket && bucket != next++) return "its codes do not name its buckets, each once";
  if (next != buckets_) return "its codes do not name its buckets, each once";
  for (std::size_t table = 0; table < of.size(); table += coder_->codes())
    if (std::ranges::count(of.subspan(table, coder_->codes()), kNoBucket) == std::ptrdiff_t{coder_->codes()})
      return "a table has no bucket";  // its rows would have none
  return "";
}

void CodedFamily::assign(const float* rows, std::size_t count, std::uint32_t* out) const {
  HashScratch scratch;
  for (std::size_t row = 0; row < count; ++row, out += tables()) {
    coder_->look(rows + row * m_, scratch.projections, scratch.probes);
    for (std::uint32_t table = 0; table < tables(); ++table)
      out[table] = bucket_with(table, scratch.probes.own_code(table));
    if (std::find(out, out + tables(), kNoBucket) != out + tables())
      find_nearest({out, tables()}, scratch.probes);
  }
}

// The bucket of a code; while buckets are still to be dropped, its number.
std::uint32_t CodedFamily::bucket_with(std::uint32_t table, std::uint32_t code) const {
  const std::size_t at = std::size_t{table} * coder_->codes() + code;
  return bucket_of_.size() == 0 ? static_cast<std::uint32_t>(at) : bucket_of_[at];
}

// A row whose code none had when the family was learned goes to the bucket that is probed first for it.
void CodedFamily::find_nearest(std::span<std::uint32_t> buckets, ProbeOrder& probes) const {
  auto missing = std::ranges::count(buckets, kNoBucket);
  probes.start();
  for (Probe probe{}; missing > 0 && probes.next(probe);) {
    std::uint32_t& bucket = buckets[probe.table];
    if (bucket != kNoBucket) continue;
    bucket = bucket_with(probe.table, probe.code);
    missing -= std::ptrdiff_t{bucket != kNoBucket};
  }
}

void CodedFamily::order(HashQuery query, std::size_t want, HashScratch& scratch,
                        std::vector<Near>& out) const {
  coder_->look(query.vector, scratch.projections, scratch.probes);
  scratch.probes.start();
  out.clear();
  for (Probe probe{}; out.size() < want && scratch.probes.next(probe);) {
    const std::uint32_t bucket = bucket_of_[std::size_t{probe.table} * coder_->codes() + probe.code];
    if (bucket != kNoBucket) out.push_back({kernels().squared_l2(query.vector, centre(bucket), m_), bucket});
  }
}

void CodedFamily::drop_empty(std::span<std::uint32_t> assigned) {
  Array<std::uint32_t> bucket_of(buckets_, kNoBucket);
  for (const std::uint32_t code : assigned) bucket_of[code] = 0;
  buckets_ = 0;
  for (std::uint32_t& bucket : bucket_of)
    if (bucket != kNoBucket) bucket = buckets_++;
  for (std::uint32_t& each : assigned) each = bucket_of[each];
  Array<float> centres(buckets_ * m_);
  learned_ = centres;
  bucket_of_ = Column(std::move(bucket_of));
  centres_ = Column(std::move(centres));  // keeps the buffer that `learned_` sees
}

}  // namespace lookalike
