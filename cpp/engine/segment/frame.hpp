// The frame of a segment file: what stands around its sections. The byte table is in docs/format.md.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/segment/segment_file.hpp"
#define XXH_INLINE_ALL
#include "xxhash.h"

namespace lookalike {

static_assert(sizeof(std::size_t) == 8, "the bounds of what a file holds are checked in 64 bits");
static_assert(std::endian::native == std::endian::little,
              "segment files are little-endian and mapped as they are");

constexpr std::array<char, 8> kMagic = {'L', 'O', 'O', 'K', 'S', 'E', 'G', '\n'};
constexpr std::array<char, 8> kFooterMagic = {'\n', 'G', 'E', 'S', 'K', 'O', 'O', 'L'};
constexpr std::uint32_t kVersion = 3;

struct Header {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t sections;      // entries in the table
  std::uint64_t file_bytes;    // of the whole file
  std::uint64_t table_offset;  // the entries; behind them the block checksums, then the footer
  std::array<std::uint8_t, 24> zero;
  std::uint64_t checksum;  // of the bytes before it
};
static_assert(sizeof(Header) == 64);

struct Entry {
  std::array<char, 32> name;  // zeros behind it
  std::uint64_t offset;
  std::uint64_t bytes;
  std::uint32_t flags;
  std::uint32_t zero;
  std::uint64_t zero2;
};
static_assert(sizeof(Entry) == 64);
constexpr std::uint32_t kOptional = 1;  // a flag

struct Footer {
  std::array<char, 8> magic;
  std::uint64_t table_checksum;  // of the entries and the block checksums
  std::uint64_t table_offset;    // these three as in the header; zero in files of older versions
  std::uint32_t sections;
  std::uint32_t version;
  std::array<std::uint8_t, 24> zero;
  std::uint64_t checksum;  // of the bytes before it
};
static_assert(sizeof(Footer) == 64);

inline std::uint64_t frame_hash(const void* bytes, std::size_t length) {
  return XXH3_64bits(bytes, length);
}

// Header and Footer end with their own checksum.
template <class Frame>
std::uint64_t frame_checksum(const Frame& frame) {
  return frame_hash(&frame, sizeof(Frame) - sizeof frame.checksum);
}

constexpr std::size_t align(std::size_t offset) {
  return (offset + SegmentFile::kAlign - 1) & ~(SegmentFile::kAlign - 1);
}

inline std::size_t block_count(std::size_t bytes) {
  return (bytes + SegmentFile::kBlock - 1) / SegmentFile::kBlock;
}

}  // namespace lookalike
