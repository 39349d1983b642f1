// Counting, over many courses, what each choice of how far to go finds and costs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/recall/course.hpp"
#include "engine/recall/measured_share.hpp"
#include "engine/recall/operating_points.hpp"
#include "engine/recall/recall_curve.hpp"

namespace lookalike {

/// Of one kind of queries. For each measured k, each share of the hits that may be left and each share
/// that the candidates may miss (Budget): what is found, and what it costs.
class PointTally {
 public:
  /// What is usual of e, by k; 0 where that k is not measured.
  using ByLevel = std::array<float, kMeasuredAt.size()>;
  /// What nearly all of these courses stay within; infinite where some meet fewer rows than k.
  static float usual(std::span<const Course> courses, std::size_t level);

  /// The standard error of estimates, about `error`, with which of the neighbours as many are missed as they
  /// should (missed.hpp).
  static float error(std::span<const Course> courses, std::size_t level, float error);

  /// The standard errors are those of budgets. A course counts where it has as many neighbours as k, or
  /// `most_neighbours`, which are all that there are.
  PointTally(const HitModel& model, const ByLevel& errors, const ByLevel& usual, std::size_t most_neighbours);

  /// With candidates its entries are sorted.
  void add(const Course& course, bool with_candidates);
  void add(const PointTally& other);

  /// What is found, by degree, of the kind of queries that finds least there, at the cost of the first.
  static OperatingPoints::Levels points(std::span<const PointTally> kinds, RecallCurve::Costs costs);

 private:
  static constexpr std::size_t kSteps = 32;
  using BySteps = std::array<double, kSteps>;  // of the share missed

  struct Found {  // neighbours, and candidates
    BySteps share{}, candidates{};
  };
  struct Way {  // sums over courses, of whole numbers: the same in any order
    double probes = 0;
    BySteps found{}, squares{}, candidates{};
  };
  struct Part {             // the courses of a degree (Budget)
    std::vector<Way> ways;  // none: it is not measured
    double k = 1;           // neighbours of each
    double courses = 0;
    double with_candidates = 0;  // of these, those that tell how many candidates there are

    void add(const Part& other);
    /// As if one more course had missed half a neighbour (Jeffreys' prior, where k is 1): else there were no
    /// error where all is found.
    MeasuredShare recall(std::size_t way, std::size_t step) const;
  };
  using Parts = std::array<Part, Budget::kDegrees>;

  void add(const Course& course, std::size_t level, bool with_candidates);
  Found found(const Course& course, std::size_t level, std::size_t probes, bool with_candidates) const;
  static const std::array<float, kSteps>& missed();
  static std::vector<const Part*> groups(std::span<const PointTally> kinds, std::size_t level,
                                         std::size_t degree, Part& others);
  static OperatingPoints::Points points(std::span<const Part* const> groups, std::size_t k,
                                        RecallCurve::Costs costs);
  static OperatingPoints::Points beyond(const OperatingPoints::Points& last, std::size_t level);
  static float farthest(std::span<const PointTally> kinds, std::size_t level);

  const HitModel* model_;
  ByLevel errors_, usual_;
  std::size_t most_neighbours_;
  std::array<Parts, kMeasuredAt.size()> levels_;
  std::array<std::vector<float>, kMeasuredAt.size()> far_;  // e of the last degree
  HitModel::Room room_;
};

}  // namespace lookalike
