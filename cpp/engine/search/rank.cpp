// The best of the candidates: by their 8-bit distances, then by exact ones.
#include <algorithm>
#include <cmath>
#include <span>

#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"
#include "engine/tuning.hpp"

namespace lookalike {

std::span<const std::uint32_t> RoutedSearch::shortlist(const Visit& visit, Scratch& scratch,
                                                       Errand& errand) const {
  Candidates& candidates = errand.candidates;
  const float kth = candidates.kth();
  if (visit.budget.by_hits() && std::isfinite(kth))
    candidates.keep_within(visit.budget.error_at(kth, errand.order.front().key),
                           visit.budget.at(errand.e).missed);
  candidates.finish();
  if (router_->tables() > 1) candidates.unite(std::max<std::size_t>(visit.budget.rerank, visit.k));
  scratch.fresh.clear();
  const auto sealed = fresh_.empty() ? candidates.kept() : part_fresh(candidates.kept(), scratch);
  return router_->form().compact() ? sealed : narrow(visit, errand, sealed, scratch);
}

// The 8-bit distances order the candidates nearly right: few beyond the k-th can belong among the nearest.
// Fresh rows have no 8-bit form, and are all compared exactly.
std::span<const std::uint32_t> RoutedSearch::narrow(const Visit& visit, const Errand& errand,
                                                    std::span<const std::uint32_t> rows,
                                                    Scratch& scratch) const {
  Candidates& finalists = scratch.finalists;
  const double few = visit.budget.compared(errand.e, visit.k);
  finalists.start(few < static_cast<double>(rows.size()) ? static_cast<std::size_t>(few) : rows.size());
  by_view(rows, scratch, [&](const View& view, std::span<const std::uint32_t> of_view) {
    float* keys = finalists.estimates(of_view.size());
    std::uint32_t* numbers = finalists.numbers();
    for (std::size_t i = 0; i < of_view.size(); ++i) numbers[i] = view.first_row + of_view[i];
    const auto compute = [&](std::span<const std::uint32_t> some, float* out) {
      view.segment->touch_bytes(some);
      view.segment->byte_rows().keys(byte_query(errand), some, scratch.byte_rows, out);
    };
    scratch.known == nullptr ? compute(of_view, keys) : scratch.known->of_bytes.find(of_view, keys, compute);
    finalists.take(of_view.size());
  });
  finalists.finish();
  return finalists.kept();
}

// Leaves the fresh ones in scratch.fresh, and returns the others.
std::span<const std::uint32_t> RoutedSearch::part_fresh(std::span<const std::uint32_t> numbers,
                                                        Scratch& scratch) const {
  scratch.sealed.clear();
  for (const std::uint32_t number : numbers)
    (number < rows_ ? scratch.sealed : scratch.fresh).push_back(number);
  return scratch.sealed;
}

// Calls use(view, rows of its segment) for these numbers, none of which is fresh.
template <class Use>
void RoutedSearch::by_view(std::span<const std::uint32_t> numbers, Scratch& scratch, Use use) const {
  if (views_.size() == 1) return use(views_.front(), numbers);
  for (const View& view : views_) {
    scratch.of_view.clear();
    const auto end = view.first_row + view.segment->originals();
    for (const std::uint32_t number : numbers)
      if (number >= view.first_row && number < end) scratch.of_view.push_back(number - view.first_row);
    if (!scratch.of_view.empty()) use(view, std::span<const std::uint32_t>(scratch.of_view));
  }
}

const float* RoutedSearch::byte_query(const Errand& errand) const {
  return router_->projection().isometric() ? errand.projected : errand.placed;
}

// And what a heap of copies equals, as far as it may be found; fresh ones come to scratch.fresh.
std::span<const std::uint32_t> RoutedSearch::with_heaps(std::span<const std::uint32_t> finalists,
                                                        Scratch& scratch) const {
  if (!heaps_) return finalists;
  const auto among = [](std::span<const std::uint32_t> numbers, std::uint32_t number) {
    return std::ranges::find(numbers, number) != numbers.end();
  };
  scratch.with_heaps.assign(finalists.begin(), finalists.end());
  for (const View& view : views_)
    for (const std::uint32_t heap : view.segment->copies().heaps())
      if (const std::uint32_t number = view.first_row + heap;
          sealed_may_be_found(number) && !among(finalists, number))
        scratch.with_heaps.push_back(number);
  for (const FreshView& view : fresh_)
    for (const std::uint32_t heap : view.lists->heaps())
      if (const std::uint32_t number = rows_ + view.begin + heap;
          fresh_may_be_found(number) && !among(scratch.fresh, number))
        scratch.fresh.push_back(number);
  return scratch.with_heaps;
}

// Ids lie anywhere too, and are asked for while the distances are computed.
void RoutedSearch::rerank(const Query& query, std::span<const std::uint32_t> numbers, Scratch& scratch,
                          TopK& nearest) const {
  by_view(numbers, scratch, [&](const View& view, std::span<const std::uint32_t> rows) {
    const Segment& segment = *view.segment;
    for (const std::uint32_t row : rows) {
      segment.touch(row, row + std::size_t{1});
      __builtin_prefetch(segment.ids() + row);
    }
    const auto take = [&](std::size_t row, float key) {
      if (nearest.admits(key))
        segment.take_equals(row, view.allowed, [&](std::int64_t id) { return nearest.push(key, id); });
    };
    if (scratch.known == nullptr) return segment.stored().gather(query, rows, take);
    std::vector<float> keys(rows.size());
    scratch.known->exact.find(rows, keys.data(), [&](std::span<const std::uint32_t> some, float* out) {
      segment.stored().gather(query, some, [&](std::size_t, float key) { *out++ = key; });
    });
    for (std::size_t i = 0; i < rows.size(); ++i) take(rows[i], keys[i]);
  });
  for (const std::uint32_t number : scratch.fresh) {
    const auto [chunk, row] = table_->at(number - rows_);
    chunk.stored(router_->form()).gather(query, std::span(&row, 1), [&](std::size_t, float key) {
      if (nearest.admits(key)) take_fresh(number - rows_, key, nearest);
    });
  }
}

// A row and its copies, as far as they live, chunk by chunk: where ids ascend, until one is too many.
void RoutedSearch::take_fresh(std::uint32_t row, float key, TopK& nearest) const {
  const auto [chunk, at] = table_->at(row);
  if (table_->lives(row)) nearest.push(key, chunk.id(at));
  if (!fresh_copies_) return;
  const FreshView& view = fresh_view_of(row);
  const auto copies = view.lists->copies_of(row - view.begin);
  for (auto copy = copies.begin(); copy != copies.end();) {
    const auto [its, first] = table_->at(view.begin + copy->row);
    const std::uint32_t start = copy->row - first;  // of the chunk; wraps where it began before the lists
    const auto end = std::partition_point(
        copy, copies.end(), [&](const FreshLists::Copy& each) { return each.row - start < its.size(); });
    for (; copy != end; ++copy)
      if (table_->lives(view.begin + copy->row) && !nearest.push(key, its.id(copy->row - start)) &&
          its.ascending())
        break;
    copy = end;
  }
}

// Fresh rows that are in no bucket and may be found, chunk by chunk; how many.
std::size_t RoutedSearch::compare_unlike(const Query& query, Scratch& scratch, TopK& nearest) const {
  std::size_t compared = 0, asked = 0;
  for (const FreshView& view : fresh_) {
    const auto rows = view.lists->unlike();
    for (std::size_t i = 0; i < rows.size();) {
      if (compared >= asked + tuning::kRowsBetweenAsking) {
        if (scratch.stopped()) return compared;
        asked = compared;
      }
      const auto [chunk, first] = table_->at(view.begin + rows[i]);
      const std::uint32_t start = rows[i] - first;  // of the chunk; wraps where it began before the lists
      scratch.of_view.clear();
      for (; i < rows.size() && rows[i] - start < chunk.size(); ++i)
        if (all_fresh_live_ || lives(view, rows[i])) scratch.of_view.push_back(rows[i] - start);
      compared += scratch.of_view.size();
      chunk.stored(router_->form()).gather(query, scratch.of_view, [&](std::size_t row, float key) {
        if (nearest.admits(key))
          take_fresh(view.begin + start + static_cast<std::uint32_t>(row), key, nearest);
      });
    }
  }
  return compared;
}

}  // namespace lookalike
