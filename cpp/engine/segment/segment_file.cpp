#include "engine/segment/segment_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/base/errors.hpp"
#include "engine/segment/frame.hpp"

namespace lookalike {
namespace {

constexpr std::uint32_t kMaxSections = 4096;
constexpr const char* kTruncated = "it was truncated while it was in use";

// Of versions 1 and 2, whose sections had numbers.
struct OldEntry {
  std::uint32_t section;
  std::uint32_t zero;
  std::uint64_t offset;
  std::uint64_t bytes;
  std::uint64_t zero2;
};
static_assert(sizeof(OldEntry) == 32);

std::string_view name_of(const Entry& entry) {
  return {entry.name.data(), ::strnlen(entry.name.data(), entry.name.size())};
}

std::string_view name_of(const OldEntry& entry) {
  constexpr std::pair<std::uint32_t, std::string_view> kNames[] = {{1, "segment"},
                                                                   {2, "note"},
                                                                   {3, "ids"},
                                                                   {4, "vectors"},
                                                                   {5, "inverse_norms"},
                                                                   {11, "by_id"},
                                                                   {12, "router/projection"},
                                                                   {13, "router/group_centres"},
                                                                   {14, "router/group_starts"},
                                                                   {15, "router/centres"},
                                                                   {16, "starts"},
                                                                   {17, "router/curve"},
                                                                   {18, "sketches"},
                                                                   {19, "bytes"},
                                                                   {20, "reaches"},
                                                                   {22, "router/bucket_of"},
                                                                   {23, "later_members"},
                                                                   {24, "router/middle"},
                                                                   {25, "router/margins"},
                                                                   {26, "copies"},
                                                                   {27, "segment_again"},
                                                                   {28, "ids_again"}};
  for (const auto& [number, name] : kNames)
    if (number == entry.section) return name;
  return "";
}

bool is_optional(const Entry& entry) {
  return (entry.flags & kOptional) != 0;
}

bool is_optional(const OldEntry&) {
  return true;
}

bool is_known(const Entry& entry) {
  return (entry.flags & ~kOptional) == 0;
}

bool is_known(const OldEntry&) {
  return true;
}

bool is_plain(const Entry& entry) {
  return is_known(entry) && entry.zero == 0 && entry.zero2 == 0;
}

bool is_plain(const OldEntry& entry) {
  return entry.zero == 0 && entry.zero2 == 0;
}

// So that a sentence may hold it.
bool has_name(const Entry& entry) {
  return !name_of(entry).empty() && std::ranges::all_of(name_of(entry), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '/';
  });
}

bool has_name(const OldEntry&) {
  return true;
}

// Whether sections lie as `write_segment_file` lays them, one behind the other: whatever bit of an entry
// flips, they do not. So an altered table may be trusted for where they are.
template <class AnyEntry>
bool as_written(std::span<const AnyEntry> entries, std::size_t end) {
  std::size_t next = sizeof(Header);
  for (const AnyEntry& entry : entries) {
    if (entry.offset != next || !is_plain(entry)) return false;
    next = align(next + entry.bytes);
  }
  return next == end;
}

// Of a file that is read; negative where it cannot be opened.
struct Descriptor {
  explicit Descriptor(const std::string& path)
      : number(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  const int number;
};

}  // namespace

SegmentFile::SegmentFile(std::string path, Trust trust) : path_(std::move(path)) {
  map();
  try {
    read_frame(trust);
  } catch (...) {
    ::munmap(const_cast<std::byte*>(data_), size_);
    throw;
  }
}

SegmentFile::~SegmentFile() {
  ::munmap(const_cast<std::byte*>(data_), size_);
}

void SegmentFile::map() {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const int code = errno;
    const std::string what = "cannot open the index " + path_ + ": " + std::strerror(code);
    if (code == ENOENT || code == ENOTDIR || code == ELOOP || code == ENAMETOOLONG || code == ENXIO)
      throw NotAnIndexError(what + "; check the path");
    throw ReadError(code, what + "; allow it, or free what is short, and try again");
  }
  struct stat status{};
  const bool regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  size_ = regular ? static_cast<std::size_t>(status.st_size) : 0;
  device_ = status.st_dev;
  inode_ = status.st_ino;
  void* mapped = size_ > 0 ? ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
  const int code = errno;
  ::close(fd);
  if (!regular) throw NotAnIndexError(path_ + " is not a file; give the path that Index.save wrote");
  if (size_ == 0)
    throw NotAnIndexError(path_ + " is empty, not a lookalike index; give the path that Index.save wrote");
  if (mapped == MAP_FAILED)
    throw ReadError(code, "cannot map the index " + path_ + ": " + std::strerror(code) +
                              "; free memory, or copy it to a local disk");
  data_ = static_cast<const std::byte*>(mapped);
}

void SegmentFile::read_frame(Trust trust) {
  const bool strict = trust == Trust::nothing;
  const bool ours = size_ >= kMagic.size() && std::memcmp(data_, kMagic.data(), kMagic.size()) == 0;
  if (!ours && (strict || size_ < sizeof(Header) + sizeof(Footer)))
    throw NotAnIndexError(path_ + " is not a lookalike index; give the path that Index.save wrote");
  if (size_ < sizeof(Header) + sizeof(Footer)) damaged("it is truncated");
  Header header;
  std::memcpy(&header, data_, sizeof header);
  Footer footer;
  std::memcpy(&footer, data_ + size_ - sizeof footer, sizeof footer);
  const bool footer_is_right = footer.magic == kFooterMagic && footer.checksum == frame_checksum(footer);
  if (!ours && !footer_is_right)
    throw NotAnIndexError(path_ + " is not a lookalike index; give the path that Index.save wrote");
  if (header.checksum != frame_checksum(header)) {
    if (strict) damaged("its header was altered");
    if (footer_is_right && footer.version != 0) {
      header.version = footer.version;
      header.sections = footer.sections;
      header.table_offset = footer.table_offset;
      header.file_bytes = size_;
    }
  }
  if (header.version == 0 || header.version > kVersion)
    throw NotAnIndexError(path_ + " has format version " + std::to_string(header.version) +
                          ", this lookalike reads 1 to " + std::to_string(kVersion) +
                          "; install a newer lookalike");
  version_ = header.version;
  if (header.file_bytes != size_)
    damaged("it has " + std::to_string(size_) + " bytes where " + std::to_string(header.file_bytes) +
            " were written");

  // Everything below is bounded by size_ whatever the header says: a hostile file has right checksums.
  const std::size_t end = header.table_offset;
  if (header.sections > kMaxSections || end < sizeof(Header) || end > size_ || end % kAlign != 0)
    damaged("its header makes no sense");
  const std::size_t entry_bytes = header.sections * (version_ < 3 ? sizeof(OldEntry) : sizeof(Entry));
  const std::size_t table_bytes = entry_bytes + block_count(end) * sizeof(std::uint64_t);
  if (size_ - end != table_bytes + sizeof(Footer)) damaged("its table has the wrong length");
  if (strict && !footer_is_right) damaged("its footer was altered");
  const bool table_is_right = footer.table_checksum == frame_hash(data_ + end, table_bytes);
  if (strict && !table_is_right) damaged("its table was altered");
  if (version_ < 3)
    read_entries<OldEntry>(header.sections, end, table_is_right);
  else
    read_entries<Entry>(header.sections, end, table_is_right);
  checked_bytes_ = end;
  const auto* checksums = reinterpret_cast<const std::uint64_t*>(data_ + end + entry_bytes);
  checksums_.assign(checksums, checksums + block_count(end));
  verified_ = std::make_unique<std::atomic<bool>[]>(checksums_.size());
  left_to_verify_ = checksums_.size();
}

template <class AnyEntry>
void SegmentFile::read_entries(std::size_t count, std::size_t end, bool are_right) {
  const std::span entries(reinterpret_cast<const AnyEntry*>(data_ + end), count);
  if (!are_right && !as_written(entries, end)) damaged("its table was altered");
  names_.reserve(count);
  for (const AnyEntry& entry : entries) {
    if (entry.offset % kAlign != 0 || entry.offset < sizeof(Header) || entry.offset > end ||
        entry.bytes > end - entry.offset)
      damaged("a section lies outside the file");
    if (!has_name(entry)) damaged("a section has no name");
    if (!is_known(entry)) newer("a form of the section \"" + std::string(name_of(entry)) + "\"");
    sections_.push_back(
        {names_.emplace_back(name_of(entry)), {data_ + entry.offset, entry.bytes}, is_optional(entry)});
  }
  asked_for_.assign(count, false);
}

void SegmentFile::require_known() const {
  for (std::size_t i = 0; i < sections_.size(); ++i)
    if (!asked_for_[i] && !sections_[i].optional)
      newer("a section \"" + std::string(sections_[i].name) + "\"");
}

void SegmentFile::newer(const std::string& what) const {
  throw NotAnIndexError(path_ + " has " + what +
                        " that this lookalike does not know; install a newer lookalike");
}

std::size_t SegmentFile::bytes_in(std::size_t block) const {
  return std::min(kBlock, checked_bytes_ - block * kBlock);
}

// Whether this is the file that is mapped, and not one that took its place.
bool SegmentFile::is_this(const struct stat& status) const {
  return status.st_dev == device_ && status.st_ino == inode_;
}

bool SegmentFile::is_at(const std::string& path) const {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && is_this(status) &&
         static_cast<std::size_t>(status.st_size) == size_;
}

// By its name, so that no descriptor need stay open. What is cut off between this and a look at the map ends
// in SIGBUS all the same.
bool SegmentFile::is_truncated() const {
  struct stat status{};
  return ::stat(path_.c_str(), &status) == 0 && is_this(status) &&
         static_cast<std::size_t>(status.st_size) < size_;
}

bool SegmentFile::check(std::size_t block) const {
  if (verified_[block].load(std::memory_order_relaxed)) return true;
  return !is_truncated() && check(block, data_ + block * kBlock);
}

bool SegmentFile::check(std::size_t block, const std::byte* bytes) const {
  if (frame_hash(bytes, bytes_in(block)) != checksums_[block]) return false;
  if (!verified_[block].exchange(true) && --left_to_verify_ == 0) all_verified_ = true;
  return true;
}

void SegmentFile::touch_all() const {
  if (all_verified_.load(std::memory_order_relaxed)) return;
  const Descriptor file(path_);
  struct stat status{};
  if (::fstat(file.number, &status) != 0 || !is_this(status)) {  // it was deleted or replaced
    touch(data_, checked_bytes_);
    return;
  }
  if (static_cast<std::size_t>(status.st_size) < size_) damaged(kTruncated);
  std::vector<std::byte> bytes(kBlock);
  for (std::size_t block = 0; block < checksums_.size(); ++block) {
    if (verified_[block].load(std::memory_order_relaxed)) continue;
    std::size_t read = 0;
    while (read < bytes_in(block)) {
      const ssize_t more = ::pread(file.number, bytes.data() + read, bytes_in(block) - read,
                                   static_cast<off_t>(block * kBlock + read));
      if (more < 0 && errno == EINTR) continue;
      if (more < 0) {
        const int code = errno;
        throw ReadError(code, "cannot read the index " + path_ + ": " + std::strerror(code) +
                                  "; check the disk, and try again");
      }
      if (more == 0) damaged(kTruncated);
      read += static_cast<std::size_t>(more);
    }
    if (!check(block, bytes.data())) altered(block);
  }
}

bool SegmentFile::intact(const void* bytes, std::size_t length) const {
  if (length == 0) return true;
  const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(bytes) - data_);
  for (std::size_t block = offset / kBlock; block <= (offset + length - 1) / kBlock; ++block)
    if (!check(block)) return false;
  return true;
}

void SegmentFile::verify(std::size_t block) const {
  if (check(block)) return;
  if (is_truncated()) damaged(kTruncated);
  altered(block);
}

void SegmentFile::altered(std::size_t block) const {
  damaged("bytes " + std::to_string(block * kBlock) + " and following were altered");
}

std::span<const std::byte> SegmentFile::find(std::string_view section) const {
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    if (sections_[i].name != section) continue;
    asked_for_[i] = true;
    return sections_[i].bytes;
  }
  return {};
}

void SegmentFile::wrong_length(std::string_view section) const {
  damaged("section " + std::string(section) + " has the wrong length");
}

void SegmentFile::damaged(const std::string& what) const {
  throw DamagedError("the index " + path_ + " is damaged: " + what +
                     "; restore it from a copy or build it again");
}

}  // namespace lookalike
