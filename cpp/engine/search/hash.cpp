#include "engine/search/hash.hpp"

#include <algorithm>
#include <vector>

#include "engine/search/search_scratch.hpp"

namespace lookalike {

void hash(const Router& router, const QueryBlock& queries, Scratch& scratch) {
  const std::size_t dim = router.space().dim();
  const auto make_room = [&](std::vector<float>& values, std::size_t each) {
    values.resize(std::max(values.size(), queries.count * each));
  };
  make_room(scratch.placed, dim);
  make_room(scratch.projected, router.m());
  make_room(scratch.landmarks, router.family().landmarks());
  for (std::size_t q = 0; q < queries.count; ++q)
    router.space().place_query(queries.query(q).vector, queries.scales[q], scratch.placed.data() + q * dim);
  router.projection().apply(scratch.placed.data(), nullptr, queries.count, scratch.projected.data(),
                            scratch.projection);
  router.family().look(scratch.projected.data(), queries.count, scratch.landmarks.data());
}

void take_up(const Router& router, std::size_t q, Scratch& scratch) {
  Errand& errand = scratch.errand;
  errand.placed = scratch.placed.data() + q * router.space().dim();
  errand.projected = scratch.projected.data() + q * router.m();
  errand.landmarks = scratch.landmarks.data() + q * router.family().landmarks();
  errand.table.make(errand.projected, router.layout());
}

void hash(const Router& router, const Query& query, Scratch& scratch) {
  hash(router, QueryBlock::of(query), scratch);
  take_up(router, 0, scratch);
}

}  // namespace lookalike
