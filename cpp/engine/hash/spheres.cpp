#include "engine/hash/spheres.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>

#include "engine/base/random.hpp"
#include "engine/hash/hash_scratch.hpp"
#include "engine/hash/kmeans.hpp"
#include "engine/tuning.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

using Rows = std::vector<std::uint32_t>;

// The first level: k-means of some of these rows, then each of them to the group of its nearest centre.
std::vector<Rows> grouped(const float* sample, const Rows& rows, std::size_t dim, std::size_t wanted,
                          Random& random, int threads, const Interrupt& interrupt) {
  Rows some = draw(rows.size(), wanted * tuning::kSamplePerGroup, random);
  for (std::uint32_t& row : some) row = rows[row];
  const auto centres =
      k_means(gather(sample, some, dim).data(), some.size(), dim, wanted, random.bits(), threads, interrupt);
  const std::size_t n_centres = centres.size() / dim;
  std::vector<std::uint32_t> nearest(rows.size());
  parallel_for(rows.size(), tuning::kRowsRoutedAtOnce, threads, interrupt,
               [&](std::size_t begin, std::size_t end) {
                 const auto block = gather(sample, std::span(rows).subspan(begin, end - begin), dim);
                 std::vector<float> squared(end - begin);
                 nearest_centres(block.data(), end - begin, dim, centres.data(), n_centres, squared.data(),
                                 nearest.data() + begin);
               });
  const Partition partition(nearest, static_cast<std::uint32_t>(n_centres));
  std::vector<Rows> groups;
  for (std::uint32_t part = 0; part < partition.parts(); ++part) {
    if (partition[part].empty()) continue;
    Rows& group = groups.emplace_back(partition[part].begin(), partition[part].end());
    for (std::uint32_t& row : group) row = rows[row];
  }
  return groups;
}

// Nearest first, ties by number: in linear time by the 16 bits of a key's place between the lowest and the
// highest, byte by byte, which leaves hardly anything to a sort by insertion. std::sort takes three times as
// long, unless a few keys lie so far off that all others share a place.
void sort_near(std::span<const float> keys, std::span<const std::uint32_t> buckets, SpheresScratch& scratch,
               std::vector<Near>& out) {
  constexpr std::uint32_t kBytes = 256, kMost = 65535;
  const std::size_t count = keys.size();
  float low, high;
  kernels().extremes(keys.data(), count, &low, &high);
  const float per_key = kMost / (high - low);
  const auto place = [&](float key) {  // one for all where the range, or its inverse, is no float
    const float at = (key - low) * per_key;
    return at <= kMost ? static_cast<std::uint32_t>(at) : 0U;
  };
  std::array<std::uint32_t, kBytes> first_by_low{}, first_by_high{};
  scratch.places.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t at = scratch.places[i] = place(keys[i]);
    ++first_by_low[at % kBytes];
    ++first_by_high[at / kBytes];
  }
  std::exclusive_scan(first_by_low.begin(), first_by_low.end(), first_by_low.begin(), 0U);
  std::exclusive_scan(first_by_high.begin(), first_by_high.end(), first_by_high.begin(), 0U);
  scratch.by_low.resize(count);
  out.resize(count);
  for (std::uint32_t i = 0; i < count; ++i) scratch.by_low[first_by_low[scratch.places[i] % kBytes]++] = i;
  for (const std::uint32_t i : scratch.by_low)
    out[first_by_high[scratch.places[i] / kBytes]++] = {std::max(0.0F, keys[i]), buckets[i]};

  const auto before = [](const Near& a, const Near& b) {
    return a.key < b.key || (a.key == b.key && a.bucket < b.bucket);
  };
  std::size_t moves = 0;
  for (std::size_t i = 1; i < count && moves <= 8 * count; ++i) {
    const Near near = out[i];
    std::size_t at = i;
    for (; at > 0 && before(near, out[at - 1]); --at, ++moves) out[at] = out[at - 1];
    out[at] = near;
  }
  if (moves > 8 * count) std::sort(out.begin(), out.end(), before);
}

// How many planes the centres need (centre_blocks.hpp). One moves a centre by a tenth of its distance from
// that of its group, which is little beside the distances of its rows, unless the buckets are clusters that
// lie farther apart than they are wide.
std::size_t planes_for(const float* sample, std::size_t dim, const std::vector<Rows>& groups,
                       std::span<const float> group_centres, const std::vector<std::vector<float>>& centres,
                       int threads, const Interrupt& interrupt) {
  struct Squares {
    double residuals = 0.0, moves = 0.0;
  };
  std::vector<Squares> of(groups.size());
  parallel_for(groups.size(), 1, threads, interrupt, [&](std::size_t group, std::size_t) {
    const Rows& all_rows = groups[group];
    Rows rows(std::min(all_rows.size(), tuning::kSampledRows));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = all_rows[i * all_rows.size() / rows.size()];
    const auto& exact = centres[group];
    std::vector<float> rounded = exact, squared(rows.size());
    for (std::size_t i = 0; i < rounded.size(); i += dim)
      CentreBlocks::round(group_centres.data() + group * dim, dim, 1, rounded.data() + i);
    std::vector<std::uint32_t> nearest(rows.size());
    nearest_centres(gather(sample, rows, dim).data(), rows.size(), dim, exact.data(), exact.size() / dim,
                    squared.data(), nearest.data());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t centre = nearest[i] * dim;
      of[group].residuals += double{squared[i]};
      of[group].moves += double{kernels().squared_l2(exact.data() + centre, rounded.data() + centre, dim)};
    }
  });
  Squares all;
  for (const Squares& each : of) all.residuals += each.residuals, all.moves += each.moves;
  return all.moves <= tuning::kMovedByRounding * all.residuals ? 1 : 2;
}

// A query is compared with every group, then with the buckets of those near it.
std::size_t groups_for(std::uint32_t buckets) {
  return std::min<std::size_t>(
      buckets, static_cast<std::size_t>(std::sqrt(tuning::kGroupsSquaredPerBucket * buckets)));
}

std::uint32_t buckets_asked(FamilyChoice choice, std::size_t rows) {
  return choice.buckets > 0 ? choice.buckets : buckets_for(rows);
}

std::size_t sample_for(FamilyChoice choice, std::size_t rows) {
  return std::max(tuning::kLeastSample, buckets_asked(choice, rows) * tuning::kSampledRows);
}

}  // namespace

constinit const Family kSpheres = {
    "spheres",
    any_metric,
    1,
    true,
    sample_for,
    [](FamilyChoice choice, const FamilySample& from, int threads,
       const Interrupt& interrupt) -> std::unique_ptr<HashFamily> {
      return std::make_unique<Spheres>(Spheres::train(
          from.sample, from.count, from.m, buckets_asked(choice, from.rows), from.seed, threads, interrupt));
    },
    [](const PartSource& parts, std::uint32_t buckets, std::size_t m,
       std::uint64_t) -> std::unique_ptr<HashFamily> {
      const std::size_t starts = parts.find("group_starts").size() / sizeof(std::uint32_t);
      if (starts < 2) parts.wrong_length("group_starts");
      auto spheres = std::make_unique<Spheres>(m, Column(parts.get<float>("group_centres", (starts - 1) * m)),
                                               Column(parts.get<std::uint32_t>("group_starts", starts)),
                                               Column(parts.get<float>("centres", buckets * m)));
      if (starts - 1 > buckets) parts.damaged("its groups do not hold its buckets");
      return spheres;
    }};

std::uint32_t buckets_for(std::size_t rows) {
  const auto n = static_cast<double>(rows);
  return static_cast<std::uint32_t>(
      std::max(1.0, std::min(n / tuning::kRowsPerBucket, tuning::kBucketsPerRoot * std::sqrt(n))));
}

Spheres Spheres::train(const float* sample, std::size_t count, std::size_t dim, std::uint32_t buckets,
                       std::uint64_t seed, int threads, const Interrupt& interrupt) {
  Random random(seed);
  const Rows rows = draw(count, buckets * tuning::kSampledRows, random);
  const std::size_t wanted = groups_for(buckets);
  const auto groups = grouped(sample, rows, dim, wanted, random, threads, interrupt);

  // Each group gets its share of the buckets. Copies can make one group of half the rows: they need no share,
  // and its k-means would take longer than all others.
  const double share = static_cast<double>(buckets) / static_cast<double>(rows.size());
  const double most =
      std::ceil(static_cast<double>(tuning::kLargestGroup * buckets) / static_cast<double>(wanted));
  const std::uint64_t first_seed = random.bits();
  std::vector<std::vector<float>> centres(groups.size());
  Array<float> group_centres(groups.size() * dim);
  parallel_for(groups.size(), 1, threads, interrupt, [&](std::size_t group, std::size_t) {
    const std::size_t size = groups[group].size();
    const double k = std::clamp(std::round(static_cast<double>(size) * share), 1.0, most);
    centres[group] = k_means(gather(sample, groups[group], dim).data(), size, dim,
                             static_cast<std::size_t>(k), first_seed + group, 1, {});
    mean_of(sample, groups[group], dim, group_centres.data() + group * dim);
  });

  const std::size_t planes = planes_for(sample, dim, groups, group_centres, centres, threads, interrupt);
  Array<std::uint32_t> starts{0};
  Array<float> all;
  for (std::size_t group = 0; group < groups.size(); ++group) {
    std::vector<float>& some = centres[group];
    for (std::size_t i = 0; i < some.size(); i += dim)
      CentreBlocks::round(group_centres.data() + group * dim, dim, planes, some.data() + i);
    all.insert(all.end(), some.begin(), some.end());
    starts.push_back(static_cast<std::uint32_t>(all.size() / dim));
  }
  return {dim, Column<float>(std::move(group_centres)), Column<std::uint32_t>(std::move(starts)),
          Column<float>(std::move(all))};
}

Spheres::Spheres(std::size_t dim, Column<float> group_centres, Column<std::uint32_t> starts,
                 Column<float> centres)
    : dim_(dim),
      group_centres_(std::move(group_centres)),
      starts_(std::move(starts)),
      centres_(std::move(centres)) {
  if (problem().empty()) blocks_ = CentreBlocks(dim_, this->group_centres(), this->starts(), this->centres());
}

std::string Spheres::problem() const {
  const auto starts = starts_.view();
  if (starts.size() < 2 || starts.front() != 0 || starts.back() == 0 ||
      !std::is_sorted(starts.begin(), starts.end()))
    return "a bucket lies outside its group";
  if (group_centres_.size() != groups() * dim_) return "it has not one centre for each group";
  return centres_.size() == buckets() * dim_ ? "" : "it has not one centre for each bucket";
}

void Spheres::assign(const float* rows, std::size_t count, std::uint32_t* out) const {
  for (std::size_t begin = 0; begin < count; begin += tuning::kRowsRoutedAtOnce)
    assign_block(rows + begin * dim_, std::min(tuning::kRowsRoutedAtOnce, count - begin), out + begin);
}

void Spheres::assign_block(const float* rows, std::size_t count, std::uint32_t* out) const {
  const std::size_t each = std::min<std::size_t>(groups(), tuning::kGroupsOfRow);
  const Partition visits(groups_to_search(rows, count, each), groups());
  std::vector<float> best(count, std::numeric_limits<float>::infinity()), squared(count);
  std::vector<std::uint32_t> nearest(count), visitors;
  std::fill_n(out, count, 0U);
  for (std::uint32_t group = 0; group < groups(); ++group) {
    visitors.clear();
    for (const std::uint32_t visit : visits[group])
      visitors.push_back(visit / static_cast<std::uint32_t>(each));
    const auto packed = gather(rows, visitors, dim_);
    nearest_centres(packed.data(), visitors.size(), dim_, centre(starts_[group]), group_size(group),
                    squared.data(), nearest.data());
    for (std::size_t i = 0; i < visitors.size(); ++i) {
      if (!(squared[i] < best[visitors[i]])) continue;
      best[visitors[i]] = squared[i];
      out[visitors[i]] = starts_[group] + nearest[i];
    }
  }
}

// found[row * each + i], i < each: the nearest groups of that row, in no order.
std::vector<std::uint32_t> Spheres::groups_to_search(const float* rows, std::size_t count,
                                                     std::size_t each) const {
  std::vector<float> distances(count * groups());
  kernels().squared_l2_tile(rows, dim_, count, group_centres_.data(), dim_, groups(), dim_, distances.data());
  std::vector<std::uint32_t> found;
  found.reserve(count * each);
  Lowest lowest;
  for (std::size_t row = 0; row < count; ++row) {
    lowest.reset(each);
    lowest.add(distances.data() + row * groups(), groups(), 0);
    for (const Ranked& group : lowest.found()) found.push_back(group.number());
  }
  return found;
}

void Spheres::look(const float* queries, std::size_t count, float* out) const {
  kernels().squared_l2_tile(queries, dim_, count, group_centres_.data(), dim_, groups(), dim_, out);
}

std::vector<NamedBytes> Spheres::parts() const {
  return {named("group_centres", group_centres()), named("group_starts", starts()),
          named("centres", centres())};
}

void Spheres::order(HashQuery query, std::size_t want, HashScratch& all_scratch,
                    std::vector<Near>& out) const {
  SpheresScratch& scratch = all_scratch.spheres;
  if (want >= buckets()) return order_all(query.vector, scratch, out);
  if (query.landmarks == nullptr) {
    scratch.distances.resize(std::max<std::size_t>(scratch.distances.size(), groups()));
    look(query.vector, 1, scratch.distances.data());
    query.landmarks = scratch.distances.data();
  }
  const CentreQuery in_steps = blocks_.query(query.vector, scratch.query);
  Candidates& nearest = scratch.buckets;
  nearest.start(want);
  auto& list = scratch.blocks;
  list.start(blocks_.block_bytes());
  for (const std::uint32_t group : nearest_groups(query.landmarks, want, scratch))
    list.add({blocks_.blocks(group), query.landmarks[group], starts_[group], group_size(group)});
  for (std::size_t begin = 0; begin < list.count(); begin += tuning::kBlocksAtOnce) {
    const BlocksToScan part = list.part(begin, std::min(tuning::kBlocksAtOnce, list.count() - begin));
    float* keys = nearest.estimates(part.count * centres_per_block);
    nearest.take(kernels().scan_centres(part, in_steps, nearest.limit(), keys, nearest.numbers()));
  }
  nearest.finish();
  if (nearest.size() < want) {  // keys beyond float are no keys
    order_all(query.vector, scratch, out);
    out.resize(want);
    return;
  }
  sort_near(nearest.kept_estimates(), nearest.kept(), scratch, out);
}

void Spheres::order_all(const float* query, SpheresScratch& scratch, std::vector<Near>& out) const {
  scratch.distances.resize(std::max<std::size_t>(scratch.distances.size(), buckets()));
  kernels().squared_l2_rows(query, centres_.data(), dim_, buckets(), dim_, scratch.distances.data());
  std::vector<Ranked> all;
  for (std::uint32_t bucket = 0; bucket < buckets(); ++bucket)
    all.emplace_back(scratch.distances[bucket], bucket);
  std::sort(all.begin(), all.end());  // NaN last
  out.clear();
  for (const Ranked& each : all) out.push_back({each.distance(), each.number()});
}

// Enough of them to hold several times the wanted buckets.
std::span<const std::uint32_t> Spheres::nearest_groups(const float* distances, std::size_t want,
                                                       SpheresScratch& scratch) const {
  for (std::size_t enough = tuning::kGroupsOfQuery + tuning::kCover * want * groups() / buckets();;
       enough *= 2) {
    Candidates& nearest = scratch.groups;
    nearest.start(std::min<std::size_t>(enough, groups()));
    std::copy_n(distances, groups(), nearest.estimates(groups()));
    std::iota(nearest.numbers(), nearest.numbers() + groups(), 0U);
    nearest.take(groups());
    nearest.finish();
    std::size_t held = 0;
    for (const std::uint32_t group : nearest.kept()) held += group_size(group);
    if (held >= want) return nearest.kept();
  }
}

}  // namespace lookalike
