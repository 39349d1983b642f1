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
  using Candidates = std::array<std::uint32_t, kSteps>;
  struct Ends {          // of one course
    std::size_t degree;  // of the last phase, where the strictest way ends
    std::array<std::span<const std::uint16_t>, Budget::kDegrees> at;  // by way: a number of `found`
    std::span<const Found> found;
    std::span<const Candidates> candidates;  // of each, or none
  };
  /// Those of many courses one after the other: vectors of each course's own would scatter over the heap.
  struct AllEnds {
    struct Sizes {
      std::size_t degree = 0, found = 0, candidates = 0;
      std::array<std::size_t, Budget::kDegrees> at{};
    };
    std::vector<Sizes> sizes;
    std::vector<std::uint16_t> at;  // from the highest degree on, as a query goes
    std::vector<Found> found;
    std::vector<Candidates> candidates;

    void shrink();
    template <class Use>
    void each(Use use) const {
      std::span<const std::uint16_t> at_left = at;
      std::span<const Found> found_left = found;
      std::span<const Candidates> candidates_left = candidates;
      const auto take = [](auto& from, std::size_t count) {
        const auto some = from.first(count);
        from = from.subspan(count);
        return some;
      };
      for (const Sizes& own : sizes) {
        Ends ends{own.degree, {}, take(found_left, own.found), take(candidates_left, own.candidates)};
        for (std::size_t degree = Budget::kDegrees; degree-- > 0;)
          ends.at[degree] = take(at_left, own.at[degree]);
        use(ends);
      }
    }
  };
  struct Level {
    template <class Use>
    void each_course(Use use) const {
      for (const AllEnds& part : parts) part.each(use);
    }

    float error = 0.0F, usual = 0.0F;
    std::size_t k = 0;                                     // 0: it is not measured
    std::vector<AllEnds> parts = std::vector<AllEnds>(1);  // the first is added to
    std::vector<float> far;                                // e of those of the last degree
  };

  void add(const Course& course, std::size_t level, bool with_candidates);
  void note(const Course& course, std::size_t level, std::size_t probes, bool with_candidates,
            AllEnds::Sizes& sizes);
  static float farthest(std::span<const PointTally> kinds, std::size_t level);

  const HitModel* model_;
  std::array<Level, kMeasuredAt.size()> levels_;
  HitModel::Room room_;
};

}  // namespace lookalike
