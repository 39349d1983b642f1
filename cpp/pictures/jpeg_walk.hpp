#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lookalike {

/// What became of a JPEG's data.
struct JpegWalk {
  /// Whether it could be walked through: Huffman-coded, 8 bits a sample, baseline or progressive.
  bool known = false;
  /// Whether data are missing, make no sense, or are too many.
  bool damaged = false;
  /// Of the blocks of the picture, how many were come to before that, in [0, 1].
  double share = 1;
};

/// Walks through the Huffman codes of a JPEG (ITU-T T.81) without making pixels of them, and finds what
/// libjpeg only warns of: it fills up what is missing, and goes on behind what makes no sense.
///
/// Any bytes may be given; the time is bounded by their number and by the blocks that the header claims times
/// the scans, the memory by 8 bytes for each block of a progressive one.
JpegWalk walk_jpeg(std::span<const std::uint8_t> data);

}  // namespace lookalike
