// The segment file: immutable, every byte under a checksum. The byte table is in docs/format.md.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/parallel.hpp"

struct stat;

namespace lookalike {

struct SectionData {
  std::string_view name;  // at most 31 bytes
  std::span<const std::byte> bytes;
  bool optional = false;  // may be passed over by a reader that does not know it
};

/// Writes path as temporary file -> fsync -> rename -> fsync of the folder: afterwards path holds the old
/// file or the whole new one, whatever happens. Sections without bytes are left out. `pause` is called now
/// and then. Throws WriteError, and what `pause` throws.
void write_segment_file(const std::string& path, std::span<const SectionData> sections,
                        const Interrupt& pause = {});

/// A segment file, mapped. Sections are named as in version 3, whatever the version is. Opening verifies all
/// but the sections' contents; `get` verifies those it returns, `get_unverified` leaves that to `touch`. Safe
/// from many threads, but for `get`, by which the one that opens it asks for sections. Throws NotAnIndexError
/// and DamagedError.
class SegmentFile {
 public:
  /// How to take a header, table or footer that was altered: as damage, or as right as far as it makes sense,
  /// since the blocks have checksums of their own.
  enum class Trust { nothing, what_makes_sense };

  explicit SegmentFile(std::string path, Trust trust = Trust::nothing);
  ~SegmentFile();
  SegmentFile(const SegmentFile&) = delete;
  SegmentFile& operator=(const SegmentFile&) = delete;

  /// A section as items of T; empty if the file has none. DamagedError unless it holds exactly `count` of
  /// them.
  template <class T>
  std::span<const T> get(std::string_view section, std::size_t count) const {
    const auto items = get_unverified<T>(section, count);
    touch(items.data(), items.size_bytes());
    return items;
  }

  template <class T>
  std::span<const T> get_unverified(std::string_view section, std::size_t count) const {
    static_assert(alignof(T) <= 64);
    const auto bytes = find(section);
    if (bytes.size() / sizeof(T) != count || bytes.size() % sizeof(T) != 0) wrong_length(section);
    return {reinterpret_cast<const T*>(bytes.data()), count};
  }

  std::uint32_t version() const { return version_; }

  std::size_t bytes_of(std::string_view section) const { return find(section).size(); }

  /// All there are, in their order in the file.
  const std::vector<SectionData>& sections() const { return sections_; }

  /// Throws NotAnIndexError if it has a section that nobody has asked for and that is not optional: a newer
  /// lookalike wrote it. Files of version 1 and 2 have no such mark.
  void require_known() const;
  /// Throws NotAnIndexError: what the file has is of a later lookalike.
  [[noreturn]] void newer(const std::string& what) const;

  /// Verifies the blocks under these bytes that were not verified before.
  void touch(const void* bytes, std::size_t length) const {
    if (length == 0 || all_verified_.load(std::memory_order_relaxed)) return;
    const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(bytes) - data_);
    for (std::size_t block = offset / kBlock; block <= (offset + length - 1) / kBlock; ++block)
      if (!verified_[block].load(std::memory_order_relaxed)) verify(block);
  }

  /// Whether all blocks under these bytes are as they were written.
  bool intact(const void* bytes, std::size_t length) const;

  /// Verifies every block, by reading the file: one that another program truncates meanwhile is damaged, and
  /// a disk that fails ends in ReadError, where a map would end in SIGBUS.
  void touch_all() const;

  /// Whether this path leads to this file, of the length that it had.
  bool is_at(const std::string& path) const;

  std::span<const std::byte> mapped() const { return {data_, size_}; }

  [[noreturn]] void damaged(const std::string& what) const;

  static constexpr std::size_t kBlock = std::size_t{64} << 10;  // a checksum for each so many bytes
  static constexpr std::size_t kAlign = 64;                     // of each section

 private:
  std::span<const std::byte> find(std::string_view section) const;
  [[noreturn]] void wrong_length(std::string_view section) const;
  bool check(std::size_t block) const;
  bool check(std::size_t block, const std::byte* bytes) const;
  void verify(std::size_t block) const;
  [[noreturn]] void altered(std::size_t block) const;
  std::size_t bytes_in(std::size_t block) const;
  bool is_this(const struct stat& status) const;
  bool is_truncated() const;
  void map();
  void read_frame(Trust trust);
  template <class AnyEntry>
  void read_entries(std::size_t count, std::size_t end, bool are_right);

  std::string path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t device_ = 0, inode_ = 0;
  std::uint32_t version_ = 0;
  std::size_t checked_bytes_ = 0;   // [0, checked_bytes_) is what the block checksums cover
  std::vector<std::string> names_;  // a copy, as the checksums below
  std::vector<SectionData> sections_;
  mutable std::vector<bool> asked_for_;   // by section, while it is opened
  std::vector<std::uint64_t> checksums_;  // a copy: at the end of the file they are the first to be cut off
  std::unique_ptr<std::atomic<bool>[]> verified_;
  mutable std::atomic<std::size_t> left_to_verify_{0};
  mutable std::atomic<bool> all_verified_{false};
};

}  // namespace lookalike
