// Segment files whose parts do not fit each other, although their checksums are right: refused at open.

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "segment_parts.hpp"

TEST(shapes_of_a_hostile_file_are_refused) {
  constexpr std::uint64_t kHuge = ~std::uint64_t{0};
  for (const std::uint64_t rows :
       {std::uint64_t{0}, std::uint64_t{Parts::kRows - 1}, std::uint64_t{Parts::kRows + 1},
        std::uint64_t{1} << 32, std::uint64_t{0xFFFFFFFF}, kHuge})
    refused("", [&](Parts& parts) { parts.shape[0] = rows; });
  for (const std::uint64_t dim : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{5},
                                  std::uint64_t{1} << 20, std::uint64_t{(1 << 20) - 1}, kHuge})
    refused("", [&](Parts& parts) { parts.shape[1] = dim; });
  refused("larger than the largest one", [](Parts& parts) { parts.shape[3] = 9; });
  refused("no sense", [](Parts& parts) { parts.shape[3] = (std::uint64_t{1} << 63) + 1; });
  for (const std::size_t field : {0U, 1U, 2U, 3U, 5U, 6U})
    for (const std::uint32_t value : {0U, 257U, 1028U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU})
      if (field != 3 || value > 0) refused("", [&](Parts& parts) { parts.router[field] = value; });
  for (const std::uint32_t value : {257U, 0x80000000U, 0xFFFFFFFFU})
    refused("no sense", [&](Parts& parts) { parts.asked_tables = value; });
  for (const std::uint32_t store : {2U, 3U}) refused("", [&](Parts& parts) { parts.store = store; });
  refused("no sense", [](Parts& parts) { parts.metric = 4; });
  for (const char* family : {"hyperplanes", "cross_polytope"})  // which has no codes here
    refused("section router/codes has the wrong length", [&](Parts& parts) { parts.family = family; });
  refused("the shape of its router makes no sense", [](Parts& parts) { parts.router_dim = 5; });
  refused("no sense", [](Parts& parts) { parts.router[2] = 6; });
  refused("its projection makes no sense", [](Parts& parts) { parts.router[2] = Parts::kDim + 4; });
  for (const std::size_t field : {0U, 2U, 5U, 6U})
    for (const std::uint32_t value : {1U, 8U})
      refused("", [&](Parts& parts) { parts.router[field] = value; });
}

TEST(sections_of_a_hostile_file_that_do_not_fit_are_refused) {
  for (const char* name : {"segment", "ids", "by_id", "inverse_norms", "vectors", "starts", "sketches",
                           "reaches", "bytes", "router/middle", "router/projection", "router/bounds",
                           "router/curve", "router/group_centres", "router/group_starts", "router/centres"})
    refused("has the wrong length", [&](Parts& parts) { parts.left_out.push_back(name); });
  const auto each = [](auto change) {
    refused("wrong length", [&](Parts& parts) { change(parts.vectors); });
    refused("wrong length", [&](Parts& parts) { change(parts.inverse_norms); });
    refused("wrong length", [&](Parts& parts) { change(parts.projection); });
    refused("wrong length", [&](Parts& parts) { change(parts.group_centres); });
    refused("wrong length", [&](Parts& parts) { change(parts.group_starts); });
    refused("wrong length", [&](Parts& parts) { change(parts.centres); });
    refused("wrong length", [&](Parts& parts) { change(parts.starts); });
    refused("wrong length", [&](Parts& parts) { change(parts.curve); });
    refused("wrong length", [&](Parts& parts) { change(parts.sketches); });
    refused("wrong length", [&](Parts& parts) { change(parts.bytes); });
    refused("wrong length", [&](Parts& parts) { change(parts.reaches); });
    refused("wrong length", [&](Parts& parts) { change(parts.middle); });
    refused("wrong length", [&](Parts& parts) { change(parts.bounds); });
    refused("wrong length", [&](Parts& parts) { change(parts.ids); });
    refused("wrong length", [&](Parts& parts) { change(parts.by_id); });
  };
  each([](auto& items) { items.pop_back(); });
  each([](auto& items) { items.push_back(0); });
}

TEST(ids_of_a_hostile_file_that_make_no_sense_are_refused) {
  refused("negative, or there twice", [](Parts& parts) { parts.ids[parts.by_id[0]] = -1; });
  refused("negative, or there twice",
          [](Parts& parts) { parts.ids[parts.by_id[0]] = std::numeric_limits<std::int64_t>::min(); });
  refused("negative, or there twice",
          [](Parts& parts) { parts.ids[parts.by_id[7]] = parts.ids[parts.by_id[8]]; });
  refused("negative, or there twice", [](Parts& parts) { std::swap(parts.by_id[3], parts.by_id[4]); });
  refused("negative, or there twice", [](Parts& parts) { parts.by_id[3] = parts.by_id[4]; });
  refused("names a row that it does not have", [](Parts& parts) { parts.by_id.back() = Parts::kRows; });
  refused("names a row that it does not have", [](Parts& parts) { parts.by_id[0] = 0xFFFFFFFF; });
  refused("larger than the largest one", [](Parts& parts) { parts.ids[parts.by_id.back()] = 100'000; });
}

TEST(buckets_of_a_hostile_file_that_make_no_sense_are_refused) {
  const auto starts_refused = [](std::size_t at, std::uint32_t value) {
    refused("do not hold its rows", [&](Parts& parts) { parts.starts[at] = value; });
  };
  starts_refused(0, 1);
  starts_refused(0, 0xFFFFFFFF);
  starts_refused(3, 30);
  starts_refused(5, Parts::kRows + 1);
  starts_refused(5, 0xFFFFFFFF);
  starts_refused(Parts::kBuckets, Parts::kRows - 1);
  starts_refused(Parts::kBuckets, 0xFFFFFFFF);
  for (const std::vector<std::uint32_t>& starts : std::vector<std::vector<std::uint32_t>>{{0, 13, 12},
                                                                                          {1, 5, 12},
                                                                                          {0, 5, 11},
                                                                                          {0, 5, 13},
                                                                                          {0, 0xFFFFFFFF, 12},
                                                                                          {0, 0, 0},
                                                                                          {12, 5, 0},
                                                                                          {0, 0, 0xFFFFFFFF}})
    refused("", [&](Parts& parts) { parts.group_starts = starts; });
}
