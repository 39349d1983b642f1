#include <random>
#include <vector>

#include "check.hpp"
#include "engine/tables.hpp"

using namespace lookalike;

namespace {

using Numbers = std::vector<std::uint32_t>;

std::string problem(Numbers starts, Numbers members, std::uint32_t tables = 1, std::size_t rows = 3) {
  return Tables(tables, 1, rows, Column(std::move(starts)), Column(std::move(members))).problem();
}

}  // namespace

TEST(each_row_is_in_the_bucket_of_its_code_in_each_table_and_rows_ascend) {
  std::mt19937 random(1);
  for (const std::size_t rows : {1U, 2U, 50U, 1000U})
    for (const std::uint32_t bits : {1U, 3U, 10U}) {
      constexpr std::uint32_t kTables = 5;
      Numbers codes(rows * kTables);
      for (auto& code : codes) code = static_cast<std::uint32_t>(random()) & ((1U << bits) - 1);
      for (const int threads : {1, 3}) {
        const Tables tables(codes, kTables, bits, threads, nullptr);
        CHECK(tables.problem().empty(), tables.problem());
        for (std::uint32_t table = 0; table < kTables; ++table) {
          std::size_t seen = 0;
          for (std::uint32_t code = 0; code < 1U << bits; ++code) {
            const auto bucket = tables.bucket(table, code);
            seen += bucket.size();
            for (std::size_t i = 0; i < bucket.size(); ++i) {
              CHECK(codes[table * rows + bucket[i]] == code);
              CHECK(i == 0 || bucket[i - 1] < bucket[i]);
            }
          }
          CHECK(seen == rows, rows, bits, seen);
        }
      }
    }
}

TEST(tables_of_a_hostile_file_are_refused) {
  CHECK(problem({0, 1, 3}, {0, 1, 2}).empty());
  CHECK(problem({0, 0, 0}, {}, 1, 0).empty());
  CHECK(problem({1, 1, 3}, {0, 1, 2}) == "a bucket lies outside its table");
  CHECK(problem({0, 1, 4}, {0, 1, 2}) == "a bucket lies outside its table");
  CHECK(problem({0, 1, 2}, {0, 1, 2}) == "a bucket lies outside its table");
  CHECK(problem({0, 4, 3}, {0, 1, 2}) == "a bucket lies outside its table");
  CHECK(problem({0, 0xFFFFFFFF, 3}, {0, 1, 2}) == "a bucket lies outside its table");
  CHECK(problem({0, 1, 3, 0, 5, 3}, {0, 1, 2, 0, 1, 2}, 2) == "a bucket lies outside its table");
  CHECK(problem({0, 1, 3}, {0, 1, 3}) == "a bucket holds a row that is not there");
  CHECK(problem({0, 1, 3}, {0xFFFFFFFF, 1, 2}) == "a bucket holds a row that is not there");
}
