// The order in which a query visits buckets: multi-probe by ascending score, over all tables together
// (query-directed probing: Lv, Josephson, Wang, Charikar & Li, VLDB 2007, §4.3–4.4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

namespace lookalike {

struct Probe {
  std::uint32_t table;
  std::uint32_t code;
};

/// A value that a digit of a code may take: what it adds to the code, and how far the query is from getting
/// it; 0 for the value that it got.
struct Choice {
  float score;
  std::uint32_t part;
};

/// A code is the sum of its digits' parts. Yields each code of each table once: first the query's own in
/// every table, then by ascending sum of the digits' scores. Reusable; holds its memory between queries.
class ProbeOrder {
 public:
  /// A query is told table by table, and for each its digits; then `start`, then `next`.
  void reset();
  void add_table();

  /// Another digit of the last table, of so many choices (>= 2), to be written before the next call.
  std::span<Choice> add_digit(std::size_t choices);

  std::uint32_t tables() const { return static_cast<std::uint32_t>(tables_.size()); }

  /// The query's own code in a table.
  std::uint32_t own_code(std::uint32_t table) const;

  void start();

  /// False when every code was visited.
  bool next(Probe& probe);

 private:
  struct Digit {
    std::size_t begin;  // of its choices
    std::uint32_t count;
    std::uint32_t taken;  // from their heap: choice i < taken lies at begin + count − 1 − i
  };
  struct Table {
    std::uint32_t begin;  // of its digits
    std::uint32_t end;
    std::uint32_t own_code;
  };

  // A code, named by the last of its table's digits that is not the query's own, and which choice that is.
  struct Step {
    float score;
    std::uint32_t table;
    std::uint32_t code;
    std::uint16_t last;
    std::uint16_t choice;
    bool operator<(const Step& other) const {  // reversed: std::push_heap keeps the smallest in front
      return std::tie(score, table, code) > std::tie(other.score, other.table, other.code);
    }
  };

  const Choice& choice(Digit& digit, std::uint32_t i);
  void change(Step& step, Digit& digit, std::uint32_t from, std::uint32_t to);
  void push(const Step& step);

  std::uint32_t own_ = 0;  // how many of the query's own codes were given out
  std::vector<Choice> choices_;
  std::vector<Digit> digits_;
  std::vector<Table> tables_;
  std::vector<Step> heap_;
};

/// Finite whatever a hostile file makes of a distance: no order may ever meet a NaN.
inline float probe_score(float distance) {
  constexpr float kMost = 1e30F;
  const float score = distance * distance;
  return score < kMost ? score : kMost;
}

}  // namespace lookalike
