// What a nibble of a sketch stands for: one of 16 points in the few dimensions that it codes.
#pragma once

#include <array>
#include <cstddef>

namespace lookalike {

struct Codebook {
  static constexpr std::size_t kPoints = 16;
  static constexpr std::size_t kLargestWidth = 4;

  std::size_t width;                                                  // dimensions of a point
  std::array<std::array<float, kPoints>, kLargestWidth> coordinates;  // by dimension, then by point

  std::array<float, kPoints> half_squares{};  // of the points' lengths

  constexpr Codebook(std::size_t dims, const std::array<std::array<float, kPoints>, kLargestWidth>& points)
      : width(dims), coordinates(points) {
    for (std::size_t i = 0; i < width; ++i)
      for (std::size_t p = 0; p < kPoints; ++p) half_squares[p] += 0.5F * points[i][p] * points[i][p];
  }
};

/// 1 bit a dimension: point p has the coordinate 1 where bit i of p is set, else −1.
inline constexpr Codebook kSigns = {4,
                                    {{{-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1},
                                      {-1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1},
                                      {-1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1},
                                      {-1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1}}}};

/// 4/3 bits a dimension: the points to which Gaussian values in 3 dimensions are nearest on average, by
/// Lloyd's algorithm (IEEE Trans. Information Theory, 1982). They leave out 0.234 of the square, signs 0.363.
inline constexpr Codebook kPointsOf3 = {
    3,
    {{{-0.0050F, 1.5401F, 0.5155F, -0.4405F, -0.4174F, 1.2018F, -1.6921F, -1.0413F, 0.0557F, 0.5370F, 0.4942F,
       0.4318F, -0.3832F, -1.0982F, 1.4955F, -1.2059F},
      {-1.0415F, -0.4171F, 0.5293F, -0.1364F, 1.3507F, 1.2844F, 0.5427F, -0.0459F, -1.0190F, -1.4906F,
       0.5292F, 0.1378F, 1.4009F, 0.0149F, -0.3548F, -1.2895F},
      {-1.2185F, -0.8263F, 1.3971F, 0.1739F, -0.7279F, -0.0310F, 0.0097F, -1.2392F, 1.3054F, 0.0261F,
       -1.5883F, -0.1744F, 0.7069F, 1.4179F, 0.7537F, 0.0355F},
      {}}}};

/// The codebook of so many dimensions a nibble, or null.
constexpr const Codebook* codebook_of(std::size_t width) {
  return width == kSigns.width ? &kSigns : width == kPointsOf3.width ? &kPointsOf3 : nullptr;
}

}  // namespace lookalike
