#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "check.hpp"
#include "engine/hash/probes.hpp"

using namespace lookalike;

namespace {

// tables × digits × choices; a digit's parts are multiples of what the digits before it can make together.
using Digits = std::vector<std::vector<Choice>>;
using Tables = std::vector<Digits>;

Tables random_tables(std::size_t tables, const std::vector<std::size_t>& choices, bool many_ties,
                     std::mt19937& random) {
  std::normal_distribution<float> gaussian;
  Tables all(tables);
  for (Digits& digits : all) {
    std::uint32_t place = 1;
    for (const std::size_t count : choices) {
      std::vector<Choice>& digit = digits.emplace_back();
      for (std::uint32_t i = 0; i < count; ++i) {
        const float score = many_ties ? std::abs(std::round(gaussian(random))) : std::abs(gaussian(random));
        digit.push_back({score, i * place});
      }
      digit[random() % count].score = 0.0F;  // the query's own
      place *= static_cast<std::uint32_t>(count);
    }
  }
  return all;
}

void tell(ProbeOrder& order, const Tables& tables) {
  order.reset();
  for (const Digits& digits : tables) {
    order.add_table();
    for (const std::vector<Choice>& digit : digits)
      std::ranges::copy(digit, order.add_digit(digit.size()).begin());
  }
}

// The score of every code, by counting through them all.
std::map<std::uint32_t, double> scores(const Digits& digits) {
  std::map<std::uint32_t, double> all = {{0, 0.0}};
  for (const std::vector<Choice>& digit : digits) {
    std::map<std::uint32_t, double> longer;
    for (const auto& [code, score] : all)
      for (const Choice& choice : digit) longer[code + choice.part] = score + double{choice.score};
    all = std::move(longer);
  }
  return all;
}

}  // namespace

TEST(every_code_is_visited_once_own_ones_first_then_by_ascending_score) {
  std::mt19937 random(1);
  ProbeOrder order;
  for (const std::vector<std::size_t>& choices : std::vector<std::vector<std::size_t>>{
           {2}, {5}, {2, 2}, {2, 2, 2, 2, 2, 2, 2}, {4, 2}, {3, 5, 2}, {6, 6, 6}})
    for (const std::size_t tables : {1U, 3U})
      for (int round = 0; round < 30; ++round) {
        const Tables told = random_tables(tables, choices, round % 3 == 0, random);
        std::vector<std::map<std::uint32_t, double>> left;
        for (const Digits& digits : told) left.push_back(scores(digits));
        const std::size_t all = left.size() * left[0].size();
        tell(order, told);
        CHECK(order.tables() == tables);
        order.start();
        Probe probe{};
        double last = 0;
        std::size_t count = 0;
        for (; order.next(probe); ++count) {
          CHECK(probe.table < tables);
          const auto found = left[probe.table].find(probe.code);
          CHECK(found != left[probe.table].end(), "visited twice, or no code", probe.code);
          const double now = found->second;
          if (count < tables)
            CHECK(probe.table == count && probe.code == order.own_code(probe.table) && now <= 0);
          CHECK(now >= last - 1e-5 * (1 + last), count, now, last);
          last = now;
          left[probe.table].erase(found);
        }
        CHECK(count == all && !order.next(probe), count, all);
      }
}

TEST(a_query_is_forgotten_when_the_next_is_told) {
  std::mt19937 random(2);
  ProbeOrder order, fresh;
  tell(order, random_tables(2, {7, 3}, false, random));
  order.start();
  Probe probe{}, other{};
  for (int i = 0; i < 9; ++i) CHECK(order.next(probe));
  const Tables told = random_tables(3, {2, 4}, false, random);
  tell(order, told);
  order.start();
  tell(fresh, told);
  fresh.start();
  while (fresh.next(other))
    CHECK(order.next(probe) && probe.table == other.table && probe.code == other.code);
  CHECK(!order.next(probe));
}

TEST(scores_are_finite_whatever_the_distance) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  CHECK(probe_score(3.0F) == 9.0F && probe_score(-3.0F) == 9.0F && probe_score(0.0F) == 0.0F);
  for (const float distance : {kInf, -kInf, std::nanf(""), 3e38F}) CHECK(probe_score(distance) == 1e30F);
}
