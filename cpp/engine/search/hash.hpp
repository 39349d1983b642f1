// The first stage of a search: a query as a router sees it.
#pragma once

#include <cstddef>

#include "engine/router/router.hpp"
#include "engine/rows/distances.hpp"

namespace lookalike {

struct Scratch;

/// Places and projects queries; matrices, once loaded, serve several. `take_up` then readies one of them.
void hash(const Router& router, const QueryBlock& queries, Scratch& scratch);
void take_up(const Router& router, std::size_t q, Scratch& scratch);

/// Both, of one query.
void hash(const Router& router, const Query& query, Scratch& scratch);

}  // namespace lookalike
