// Which choice of how far to go is the cheapest that finds what is asked for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/recall/measured_share.hpp"
#include "engine/recall/point_tally.hpp"

namespace lookalike {

/// The choices for one k, by degree. On its way a query passes through higher degrees, and may end there by
/// their limits: so for each recall the highest degree is chosen first, by the courses that would end there,
/// and the next by those that it lets pass. Each choice is counted as a search makes it.
class PointChoices {
 public:
  PointChoices(std::span<const PointTally> kinds, std::size_t level, RecallCurve::Costs costs);

  std::array<OperatingPoints::Points, Budget::kDegrees> points();

 private:
  static constexpr std::size_t kSteps = PointTally::kSteps;
  using BySteps = std::array<double, kSteps>;

  struct Way {  // sums over courses, of whole numbers: the same in any order
    double courses = 0;
    BySteps found{}, squares{};
  };
  struct Cost {
    double probes = 0;
    BySteps candidates{};
  };
  struct Part {               // of one kind, at one degree
    std::vector<Way> ways;    // of those that would end there
    std::vector<Cost> costs;  // of those that come no lower
    double courses = 0, with_candidates = 0;
  };
  struct Passing {
    std::size_t kind;
    std::size_t last;                                             // the lowest degree that it comes to
    std::size_t end;                                              // the degree where it ends by what is taken
    std::array<std::vector<std::uint16_t>, Budget::kDegrees> at;  // as of Ends, by measured degrees
    PointTally::Ends ends;
  };
  struct Choice {
    double cost;
    std::size_t way, step;
    OperatingPoints::Point point;
  };
  struct Degree {
    std::vector<Choice> choices;  // by ascending cost
    std::size_t next = 0;         // those before find too little
    std::size_t best = 0;         // of these
    double best_recall = 0.0;
    std::size_t way = 0;  // that is taken
    OperatingPoints::Points points;
  };

  void gather(std::span<const PointTally> kinds, std::size_t level);
  void count(const Passing& course, std::size_t degree, double times);
  void end_at(Passing& course, std::size_t degree);
  std::vector<Choice> choices(std::size_t degree, RecallCurve::Costs costs) const;
  double recall(std::size_t degree, std::size_t way, std::size_t step, double wanted);
  void choose(std::size_t degree, double recall);
  OperatingPoints::Points beyond(const OperatingPoints::Points& last) const;

  std::size_t level_;
  double k_;
  std::vector<std::array<Part, Budget::kDegrees>> parts_;  // by kind
  std::vector<Passing> courses_;
  std::array<Degree, Budget::kDegrees> degrees_;
  std::vector<MeasuredShare> shares_;
};

}  // namespace lookalike
