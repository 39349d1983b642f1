// The inner loops of lookalike: plain pointers in, numbers out.
//
// Promises, the same for every instruction set:
//   - Reads and writes exactly the elements named (and the slack named), at any alignment of their types.
//   - One level adds up a pair (query, row) in one fixed order, so `dot`, `dot_rows`, `dot_gather` and
//     `dot_tile` give the same bits for the same pair. Two levels may differ in the last bits.
//   - With u = 2^-24 and n·u < 0.01, against the exact value and short of overflow and underflow:
//       |dot error|        <= 1.01 (n + 1) u · Σ|a_i b_i|
//       |squared_l2 error| <= 1.01 (n + 3) u · Σ(a_i - b_i)²
//     for any order of the sum (Higham, Accuracy and Stability of Numerical Algorithms, §3.1). Rows of bytes
//     and of float16 become floats without error, so the bounds hold for them too.
//   - Everything else, sketches, centres, selection, Hadamard, float16 and Hamming, gives the same bits at
//   all
//     levels.
//   - A term or partial sum beyond FLT_MAX becomes infinite; inf and NaN propagate; denormals are kept.
//   - Hamming distances are exact; n == 0 gives 0; nothing here allocates, throws or has state.
//
// Strides are counted in elements between the starts of consecutive rows, stride >= dim.

#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

/// The bits of an IEEE 754 binary16 number.
using Half = std::uint16_t;

/// Rows that many queries are compared with are packed by so many: coordinate i of row r at
/// panel[i * panel_rows + r].
constexpr std::size_t panel_rows = 16;

/// Sketches lie in blocks of 32: 16 bytes of nibbles for each group of 4 signs (byte j: the low nibble of
/// entry j, the high nibble of entry j + 16), then 32 floats A, then 32 floats F.
constexpr std::size_t sketches_per_block = 32;

constexpr std::size_t sketch_block_bytes(std::size_t groups) {
  return 16 * groups + 2 * sketches_per_block * sizeof(float);
}

/// A short block has 16, in half the bytes: a group of the first half in the low nibbles, one of the second
/// half in the high ones (byte j: entry j), then 16 floats A, then 16 floats F.
constexpr std::size_t sketches_per_short_block = 16;

constexpr std::size_t short_sketch_rows(std::size_t groups) {
  return (groups + 7) / 8 * 4;
}
constexpr std::size_t short_sketch_bytes(std::size_t groups) {
  return 16 * short_sketch_rows(groups) + 2 * sketches_per_short_block * sizeof(float);
}

/// A block on its way through a scan, which meets the blocks of many buckets in one run.
struct BlockToScan {
  const std::uint8_t* bytes;
  float offset;         ///< what its bucket adds to each estimate
  std::uint32_t first;  ///< the number of its first entry
  std::uint32_t count;  ///< of entries that count, from the first on
};

/// Such blocks, and others behind them that are only asked for from memory.
struct BlocksToScan {
  const BlockToScan* blocks;
  std::size_t count;
  std::size_t known;  ///< >= count
};

/// A query as the sketches see it: <signs, query> is about step · Σ_g entries[16 g + nibble_g] + base.
/// A table of small entries is scanned faster: 255 / largest look-ups are added up as bytes. With entries up
/// to 31, not 255, a block of 32 groups takes a quarter less time or better, and for Gaussian queries the
/// rounding adds 0.7 %, not 0.01 %, to the variance of the estimate's error.
struct SketchTable {
  const std::uint8_t* entries;  ///< 16 for each group; to scan short blocks, zeros behind them up to 8 groups
  std::size_t groups;           ///< a multiple of 4, so many that no sum reaches 2^16: 256 of any entries
  float step;
  float base;
  std::uint8_t largest = 255;  ///< no entry is larger
};

/// Centres lie in blocks of 16: one or two planes of nibbles, then 16 floats A, then 16 floats F. A plane
/// has, for each eight dimensions, 4 bytes of each centre (byte j: the low nibble of dimension j, the high
/// nibble of dimension j + 4). Of two planes the first holds the high nibble of each byte, the second the low
/// one.
constexpr std::size_t centres_per_block = 16;

constexpr std::size_t centre_block_bytes(std::size_t planes, std::size_t eights) {
  return centres_per_block * (4 * planes * eights + 2 * sizeof(float));
}

/// A query as the centres see it: step · steps_i is about its coordinate i, steps_i = 256 high_i + low_i, and
/// |base + Σ_i steps_i · value_i| < 2^31 for any values that the centres hold.
struct CentreQuery {
  const std::int8_t* bytes;  ///< 16 for each eight dimensions: their high ones, then their low ones
  std::size_t eights;
  std::size_t planes;  ///< of the centres
  float step;
  std::int32_t base;
};

/// The terms of a Poisson regression on four features: 1, each, and all products of two. A feature is cut to
/// what was seen, and standardised.
struct HitTerms {
  float lowest[4], highest[4], middle[4], scale[4];
  float terms[15];
};

/// Of many buckets, in as many floats each, kept_slack more behind them.
struct HitInputs {
  const float* distance;    ///< squared, of the query from the centre
  const float* spread;      ///< the mean squared distance of the rows from it
  const float* log_spread;  ///< to base 2
  const float* rows;
  const float* log_rank;  ///< to base 2
};

/// Elements behind the last one that counts which may be read, and written with anything.
constexpr std::size_t kept_slack = 32;

/// One implementation of every kernel: what a level of SIMD offers.
struct Kernels {
  const char* name;  ///< the word that LOOKALIKE_SIMD takes, such as "avx2"

  using Pair = float (*)(const float* a, const float* b, std::size_t n);

  /// out[i] = f(query, rows + i * stride), i < n_rows
  template <class Element>
  using RowsOf = void (*)(const float* query, const Element* rows, std::size_t stride, std::size_t n_rows,
                          std::size_t dim, float* out);

  /// out[i] = f(query, rows + which[i] * stride), i < count; later rows are prefetched
  template <class Element>
  using GatherOf = void (*)(const float* query, const Element* rows, std::size_t stride,
                            const std::uint32_t* which, std::size_t count, std::size_t dim, float* out);

  /// out[q * n_rows + r] = f(queries + q * query_stride, rows + r * row_stride), q < n_queries, r < n_rows
  template <class Element>
  using TileOf = void (*)(const float* queries, std::size_t query_stride, std::size_t n_queries,
                          const Element* rows, std::size_t row_stride, std::size_t n_rows, std::size_t dim,
                          float* out);

  using Rows = RowsOf<float>;
  using Gather = GatherOf<float>;
  using Tile = TileOf<float>;

  Pair dot;
  Rows dot_rows;
  Gather dot_gather;
  Tile dot_tile;
  /// out[q * panel_rows + r] = dot(queries + q * query_stride, row r of the panel), q < n_queries; the terms
  /// are added up in the order of the dimensions.
  void (*dot_panel)(const float* queries, std::size_t query_stride, std::size_t n_queries, const float* panel,
                    std::size_t dim, float* out);

  Pair squared_l2;
  Rows squared_l2_rows;
  Gather squared_l2_gather;
  Tile squared_l2_tile;

  RowsOf<Half> dot_half_rows;
  GatherOf<Half> dot_half_gather;
  TileOf<Half> dot_half_tile;

  RowsOf<Half> squared_l2_half_rows;
  GatherOf<Half> squared_l2_half_gather;
  TileOf<Half> squared_l2_half_tile;

  RowsOf<std::int8_t> dot_bytes_rows;
  GatherOf<std::int8_t> dot_bytes_gather;

  /// The same of queries in 16-bit steps, in whole numbers: exact where Σ_d |query_d row_d| < 2^31 for each
  /// pair.
  void (*dot_steps_tile)(const std::int16_t* queries, std::size_t query_stride, std::size_t n_queries,
                         const std::int8_t* rows, std::size_t row_stride, std::size_t n_rows, std::size_t dim,
                         std::int32_t* out);

  /// Like dot_gather, of such queries.
  void (*dot_steps_gather)(const std::int16_t* query, const std::int8_t* rows, std::size_t stride,
                           const std::uint32_t* which, std::size_t count, std::size_t dim, std::int32_t* out);

  /// out[i] = values[i] · scale, rounded to the nearest whole number, ties to even, after being cut to ± most
  /// (NaN to most); most <= 32767.
  void (*to_steps)(const float* values, std::size_t n, float scale, float most, std::int16_t* out);

  /// The same, cut to [0, most]; most <= 255.
  void (*to_bytes)(const float* values, std::size_t n, float scale, float most, std::uint8_t* out);

  /// products[16 g + p] = Σ_i values[width g + i] · points[16 i + p] - low_g, i < width, added up in order,
  /// each operation rounded once; low_g is the lowest of the sums of group g. `base` is the sum of the low_g,
  /// and `largest` the largest product, unless any number on the way is not finite: then base is not either.
  void (*point_products)(const float* values, std::size_t groups, const float* points, std::size_t width,
                         float* products, float* base, float* largest);

  /// nearest[g]: the p < 16 of the largest Σ_i values[width g + i] · points[16 i + p] - half_squares[p], i <
  /// width, added up in order, each operation rounded once; of equal ones the last.
  void (*nearest_points)(const float* values, std::size_t groups, const float* points, std::size_t width,
                         const float* half_squares, std::uint8_t* nearest);

  /// To the nearest half, ties to even; beyond 65504 to infinity; NaN stays NaN, quiet, with its upper bits.
  void (*to_half)(const float* values, std::size_t n, Half* out);
  void (*from_half)(const Half* values, std::size_t n, float* out);

  /// The unnormalised Walsh-Hadamard transform in place, n a power of two: butterflies at distance 1, 2, 4,
  /// ...
  void (*hadamard)(float* values, std::size_t n);

  /// FastScan (André, Kermarrec, Le Scouarnec, VLDB 2015). The estimate of entry i < count of a block is
  ///     (A_i + offset) - F_i · (step · Σ + base),   each operation rounded once.
  /// Those below `limit` (never NaN) are written to `estimates`, and first + i to `numbers`, block by block
  /// in order of i; returns how many. Whole blocks are read; both outputs have room for kept_slack elements
  /// more.
  std::size_t (*scan_sketches)(const BlocksToScan& blocks, const SketchTable& table, float limit,
                               float* estimates, std::uint32_t* numbers);
  /// The same of short blocks.
  std::size_t (*scan_short_sketches)(const BlocksToScan& blocks, const SketchTable& table, float limit,
                                     float* estimates, std::uint32_t* numbers);

  /// The key of centre i < count of a block is (A_i + offset) - F_i · (step · (base + Σ_d steps_d value_id)),
  /// value_id the nibble of one plane or the byte of two, the sum exact, each other operation rounded once.
  /// What is written and returned is as for scan_sketches.
  std::size_t (*scan_centres)(const BlocksToScan& blocks, const CentreQuery& query, float limit, float* keys,
                              std::uint32_t* numbers);

  /// The lowest and the highest of n values; NaN does not count, infinity and -infinity of none.
  void (*extremes)(const float* values, std::size_t n, float* lowest, float* highest);

  /// How many of the values are below the limit. There are kept_slack elements more than n.
  std::size_t (*count_below)(const float* values, std::size_t n, float limit);

  /// The k-th lowest of n values without NaN, 0 < k <= n. There are kept_slack elements more than n.
  float (*kth_lowest)(const float* values, std::size_t n, std::size_t k);

  /// Copies the values below the limit, in order; returns how many. Both arrays have kept_slack elements more
  /// than n, and may be the same.
  std::size_t (*copy_below)(const float* values, std::size_t n, float limit, float* out);

  /// Keeps the values below the limit and their numbers, in order, at the front; returns how many. Both
  /// arrays have kept_slack elements more than n.
  std::size_t (*keep_below)(float* values, std::uint32_t* numbers, std::size_t n, float limit);

  /// out[i]: the hits that are expected in bucket i < n where the k-th neighbour has the squared distance e >
  /// 0. There are kept_slack elements more than n.
  void (*expected_hits)(const HitTerms& terms, float e, const HitInputs& in, std::size_t n, float* out);

  /// The number of bits in which two codes of `bytes` bytes differ.
  std::uint64_t (*hamming)(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes);

  /// out[i] = hamming(query, codes + i * stride), i < n_rows; bytes < 2^29
  void (*hamming_rows)(const std::uint8_t* query, const std::uint8_t* codes, std::size_t stride,
                       std::size_t n_rows, std::size_t bytes, std::uint32_t* out);

  /// out[i] = hamming(query, codes + which[i] * stride), i < count
  void (*hamming_gather)(const std::uint8_t* query, const std::uint8_t* codes, std::size_t stride,
                         const std::uint32_t* which, std::size_t count, std::size_t bytes,
                         std::uint32_t* out);
};

}  // namespace lookalike
