// Every row of a segment within a radius.
#pragma once

#include <vector>

#include "engine/base/top_k.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/rows/distances.hpp"
#include "engine/search/stages.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

struct Scratch;

/// Appends every row whose key is at most max_key, in no order, and tells what that took. Without `exact` a
/// row may be left out whose sketch errs by more than four standard errors.
Stages within(const Segment& segment, const Query& query, float max_key, const Allowed* allowed, bool exact,
              Scratch& scratch, std::vector<Found>& found);

}  // namespace lookalike
