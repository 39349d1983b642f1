// What each choice of how far to go finds and costs, over many courses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/recall/course.hpp"
#include "engine/recall/operating_points.hpp"
#include "engine/recall/recall_curve.hpp"

namespace lookalike {

/// Courses of one kind of queries. For each measured k: where each may end, which depends on how much of the
/// hits may be left at the degrees that it passes through (Budget), and what it has found there, which
/// depends on the share that the candidates may miss.
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
  void add(PointTally&& other);

  /// What is found, by degree, of the kind of queries that finds least there, at the cost of the first.
  static OperatingPoints::Levels points(std::span<const PointTally> kinds, RecallCurve::Costs costs);

 private:
  friend class PointChoices;

  static constexpr std::size_t kSteps = 32;  // of the share missed
  static const std::array<float, kSteps>& missed();
  /// Ways to go: of k, so much may be left.
  static const std::vector<float>& left();

  struct Found {
    std::uint32_t probes;
    std::array<std::uint16_t, kSteps> neighbours;
  };
  struct Ends {
    std::size_t degree = 0;  // of the last phase, where the strictest way ends
    std::array<std::vector<std::uint16_t>, Budget::kDegrees> at;  // by way: a number of `found`
    std::vector<Found> found;
    std::vector<std::array<std::uint32_t, kSteps>> candidates;  // of each, or none
  };
  struct Level {
    float error = 0.0F, usual = 0.0F;
    std::size_t k = 0;  // 0: it is not measured
    std::vector<Ends> courses;
    std::vector<float> far;  // e of those of the last degree
  };

  void add(const Course& course, std::size_t level, bool with_candidates);
  void note(const Course& course, std::size_t level, std::size_t probes, bool with_candidates,
            Ends& ends) const;
  static float farthest(std::span<const PointTally> kinds, std::size_t level);

  const HitModel* model_;
  std::array<Level, kMeasuredAt.size()> levels_;
  HitModel::Room room_;
};

}  // namespace lookalike
