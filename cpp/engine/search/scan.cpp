// Scanning the lists of buckets: an estimate from each sketch.
#include <algorithm>
#include <limits>
#include <vector>

#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"
#include "engine/tuning.hpp"

namespace lookalike {

// The bucket behind the last one of a phase will hardly ever not be visited.
void RoutedSearch::scan_phase(Errand& errand, Stages& stages) const {
  const auto end = static_cast<std::size_t>(errand.now.data() - errand.order.data()) + errand.now.size();
  const auto next = std::span<const Near>(errand.order).subspan(end).first(end < errand.order.size() ? 1 : 0);
  scan_buckets(errand.now, next, errand, stages);
}

// In parts, after each of which the limit is drawn in. The fresh entries of a bucket are listed beside its
// sealed ones, so that their blocks have time to come; a call for each bucket would cost 1 % of the search.
void RoutedSearch::scan_buckets(std::span<const Near> buckets, std::span<const Near> next, Errand& errand,
                                Stages& stages) const {
  start_blocks(errand);
  std::size_t scanned = 0, met = 0;
  const auto list = [&](const View& view, const Near& near) __attribute__((always_inline)) {
    BlockToScan bucket = view.segment->sketches().bucket(near.bucket, near.key);
    const std::size_t findable = view.allowed != nullptr
                                     ? count_findable(view, bucket.first, bucket.first + bucket.count)
                                     : bucket.count;
    met += findable;
    if (findable == 0) return;
    scanned += bucket.count;
    bucket.first += view.first_entry;
    errand.blocks.add(bucket);
  };
  if (fresh_.empty()) {
    for (const View& view : views_)
      for (const Near& near : buckets) list(view, near);
  } else {
    for (const FreshView& view : fresh_)
      for (const Near& near : buckets) view.lists->prefetch(near.bucket);
    for (const Near& near : buckets) {
      for (const View& view : views_) list(view, near);
      list_fresh(near, errand);
    }
  }
  const std::size_t blocks = errand.blocks.count();
  for (const Near& near : next)
    errand.blocks.add(views_.front().segment->sketches().bucket(near.bucket, near.key));
  scan_sealed(errand, blocks, met == scanned);
  if (!errand.fresh.empty()) {
    scan_fresh(errand, all_fresh_live_);
    for (const FreshBlock& block : errand.fresh) {  // their rows have come from the memory meanwhile
      scanned += block.count;
      met += count_living(block);
    }
  }
  stages.probes += static_cast<std::uint32_t>(buckets.size());
  stages.met += static_cast<std::uint32_t>(met);
  stages.scanned += static_cast<std::uint32_t>(scanned);
}

void RoutedSearch::start_blocks(Errand& errand) const {
  errand.blocks.start(router_->layout().block_bytes());
  errand.fresh_blocks.start(router_->layout().block_bytes());
  errand.short_blocks.start(router_->layout().block_bytes(SketchLayout::kShort));
  errand.fresh.clear();
}

// The first blocks of a list become candidates by what take(numbers) does with those below the limit.
void RoutedSearch::scan_blocks(const auto& list, std::size_t count, auto kernel, Errand& errand, auto take) {
  Candidates& candidates = errand.candidates;
  for (std::size_t begin = 0; begin < count; begin += tuning::kBlocksAtOnce) {
    const BlocksToScan part = list.part(begin, std::min(tuning::kBlocksAtOnce, count - begin));
    float* estimates = candidates.estimates(part.count * SketchLayout::kEntries);
    std::uint32_t* numbers = candidates.numbers();
    take(std::span(numbers, kernel(part, errand.table.view(), candidates.limit(), estimates, numbers)));
  }
}

// Where not `all` may be found, those entries alone are kept that may.
void RoutedSearch::scan_sealed(Errand& errand, std::size_t blocks, bool all) const {
  scan_blocks(errand.blocks, blocks, kernels().scan_sketches, errand, [&](std::span<std::uint32_t> numbers) {
    if (router_->tables() > 1) number_rows(numbers);
    if (all)
      errand.candidates.take(numbers.size());
    else
      errand.candidates.take(numbers.size(),
                             [this](std::uint32_t number) { return sealed_may_be_found(number); });
  });
}

void RoutedSearch::scan_fresh(Errand& errand, bool all) const {
  const auto take = [&](std::span<std::uint32_t> numbers) {
    number_fresh(errand, numbers);
    if (all)
      errand.candidates.take(numbers.size());
    else
      errand.candidates.take(numbers.size(),
                             [this](std::uint32_t number) { return fresh_may_be_found(number); });
  };
  scan_blocks(errand.fresh_blocks, errand.fresh_blocks.count(), kernels().scan_sketches, errand, take);
  scan_blocks(errand.short_blocks, errand.short_blocks.count(), kernels().scan_short_sketches, errand, take);
}

// A block of fresh entries is numbered by its place among those of this scan.
void RoutedSearch::list_fresh(Near near, Errand& errand) const {
  const SketchLayout& layout = router_->layout();
  for (const FreshView& view : fresh_)
    view.lists->visit(near.bucket, [&](const FreshLists::Entries& block) {
      const auto first = static_cast<std::uint32_t>(errand.fresh.size() * SketchLayout::kEntries);
      const BlockToScan entries{block.sketches, near.key, first, block.count};
      if (block.is_short)
        errand.short_blocks.add_block(entries);
      else
        errand.fresh_blocks.add_block(entries);
      errand.fresh.push_back({block.rows, block.count, &view});
      const std::size_t bytes =
          layout.block_bytes(block.is_short ? SketchLayout::kShort : SketchLayout::kEntries);
      for (std::size_t i = 0; i < bytes; i += 64) __builtin_prefetch(block.sketches + i);
    });
}

std::size_t RoutedSearch::count_living(const FreshBlock& block) const {
  if (all_fresh_live_) return block.count;
  std::size_t living = 0;
  if (fresh_copies_) {
    for (std::uint32_t i = 0; i < block.count; ++i) living += std::size_t{lives(*block.view, block.rows[i])};
    return living;
  }
  // without a branch, which nobody could foretell
  const std::uint64_t* const bits = table_->living_words();
  for (std::uint32_t i = 0; i < block.count; ++i) {
    const std::uint32_t row = block.view->begin + block.rows[i];
    living += bits[row / 64] >> (row % 64) & 1;
  }
  return living;
}

// Entries of segments become rows; of one table they are numbered as their rows are.
void RoutedSearch::number_rows(std::span<std::uint32_t> numbers) const {
  for (std::uint32_t& number : numbers) {
    const View& view = *std::prev(
        std::upper_bound(views_.begin(), views_.end(), number,
                         [](std::uint32_t entry, const View& each) { return entry < each.first_entry; }));
    number = view.first_row + view.segment->row_of(number - view.first_entry);
  }
}

void RoutedSearch::number_fresh(const Errand& errand, std::span<std::uint32_t> numbers) const {
  for (std::uint32_t& number : numbers) {
    const FreshBlock& block = errand.fresh[number / SketchLayout::kEntries];
    number = rows_ + block.view->begin + block.rows[number % SketchLayout::kEntries];
  }
}

bool RoutedSearch::sealed_may_be_found(std::uint32_t number) const {
  const View& view = view_of(number);
  return view.allowed == nullptr || view.allowed->originals()[number - view.first_row];
}

bool RoutedSearch::fresh_may_be_found(std::uint32_t number) const {
  const std::uint32_t row = number - rows_;
  if (!fresh_copies_ || table_->lives(row)) return table_->lives(row);
  const FreshView& fresh = fresh_view_of(row);
  return lives(fresh, row - fresh.begin);
}

// Of these lists, or a copy of it does: most likely the last one.
bool RoutedSearch::lives(const FreshView& view, std::uint32_t row) const {
  if (table_->lives(view.begin + row)) return true;
  if (!fresh_copies_) return false;
  const auto copies = view.lists->copies_of(row);
  return std::any_of(copies.rbegin(), copies.rend(),
                     [&](const FreshLists::Copy& copy) { return table_->lives(view.begin + copy.row); });
}

const RoutedSearch::View& RoutedSearch::view_of(std::uint32_t row) const {
  auto view = views_.end();
  while ((--view)->first_row > row) {
  }
  return *view;
}

std::size_t RoutedSearch::count_findable(const View& view, std::uint32_t begin, std::uint32_t end) const {
  const PagedBits& originals = view.allowed->originals();
  if (begin < view.segment->originals()) return originals.count(begin, end);
  std::size_t count = 0;
  for (std::uint32_t entry = begin; entry < end; ++entry)
    count += std::size_t{originals[view.segment->row_of(entry)]};
  return count;
}

void estimate_bucket(const Sketches& sketches, Near near, Errand& errand, float limit) {
  const BlockToScan bucket = sketches.bucket(near.bucket, near.key);
  errand.blocks.start(sketches.layout().block_bytes());
  errand.blocks.add(bucket);
  errand.candidates.start(bucket.count);
  float* estimates = errand.candidates.estimates(bucket.count);
  errand.candidates.take(kernels().scan_sketches(errand.blocks.part(0, errand.blocks.count()),
                                                 errand.table.view(), limit, estimates,
                                                 errand.candidates.numbers()));
}

}  // namespace lookalike
