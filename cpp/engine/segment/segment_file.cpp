#include "engine/segment/segment_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/base/errors.hpp"

#define XXH_INLINE_ALL
#include "xxhash.h"

namespace lookalike {
namespace {

static_assert(sizeof(std::size_t) == 8, "the bounds of what a file holds are checked in 64 bits");
static_assert(std::endian::native == std::endian::little,
              "segment files are little-endian and mapped as they are");

constexpr std::array<char, 8> kMagic = {'L', 'O', 'O', 'K', 'S', 'E', 'G', '\n'};
constexpr std::array<char, 8> kFooterMagic = {'\n', 'G', 'E', 'S', 'K', 'O', 'O', 'L'};
constexpr std::uint32_t kVersion = 3;
constexpr std::uint32_t kMaxSections = 4096;
constexpr const char* kTruncated = "it was truncated while it was in use";

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
  constexpr std::array<std::string_view, 29> kNames = {"",
                                                       "segment",
                                                       "note",
                                                       "ids",
                                                       "vectors",
                                                       "inverse_norms",
                                                       "",
                                                       "",
                                                       "",
                                                       "",
                                                       "",
                                                       "by_id",
                                                       "router/projection",
                                                       "router/group_centres",
                                                       "router/group_starts",
                                                       "router/centres",
                                                       "starts",
                                                       "router/curve",
                                                       "sketches",
                                                       "bytes",
                                                       "reaches",
                                                       "",
                                                       "router/bucket_of",
                                                       "later_members",
                                                       "router/middle",
                                                       "router/margins",
                                                       "copies",
                                                       "segment_again",
                                                       "ids_again"};
  return entry.section < kNames.size() ? kNames[entry.section] : "";
}

bool is_optional(const Entry& entry) {
  return (entry.flags & kOptional) != 0;
}

bool is_optional(const OldEntry&) {
  return true;
}

bool is_plain(const Entry& entry) {
  return entry.flags <= kOptional && entry.zero == 0 && entry.zero2 == 0;
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

bool is_plain(const OldEntry& entry) {
  return entry.zero == 0 && entry.zero2 == 0;
}

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

std::uint64_t hash(const void* bytes, std::size_t length) {
  return XXH3_64bits(bytes, length);
}

// Header and Footer end with their own checksum.
template <class Frame>
std::uint64_t frame_checksum(const Frame& frame) {
  return hash(&frame, sizeof(Frame) - sizeof frame.checksum);
}

constexpr std::size_t align(std::size_t offset) {
  return (offset + SegmentFile::kAlign - 1) & ~(SegmentFile::kAlign - 1);
}

std::size_t block_count(std::size_t bytes) {
  return (bytes + SegmentFile::kBlock - 1) / SegmentFile::kBlock;
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

// Up to and with the last slash; "./" for a bare name.
std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

// A name in the same folder that begins like the path, unless that would be longer than a name may be.
std::string temporary_beside(const std::string& path) {
  static std::atomic<unsigned> serial{0};
  constexpr std::size_t kLongName = 200;
  const std::string folder = folder_of(path);
  const std::string ending = ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(serial++);
  const std::string name = path.substr(path.rfind('/') + 1);
  return folder + (name.size() > kLongName ? "" : name) + ending;
}

[[noreturn]] void cannot_write(const std::string& path,
                               const char* what_remains = "what was there before is unchanged") {
  const int code = errno;
  throw WriteError(code, "cannot write " + path + ": " + std::strerror(code) + "; " + what_remains);
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

// A temporary file beside its target; gone again unless it was published.
class NewFile {
 public:
  explicit NewFile(const std::string& path) : path_(path) {
    do {  // a killed process of the same number may have left its own
      temporary_ = temporary_beside(path);
      fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (fd_ < 0 && errno == EEXIST);
    if (fd_ < 0) cannot_write(path_);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!published_) ::unlink(temporary_.c_str());
  }

  void append(const void* bytes, std::size_t length) {
    const auto* from = static_cast<const char*>(bytes);
    while (length > 0) {
      const ssize_t written = ::write(fd_, from, length);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) cannot_write(path_);
      from += written;
      length -= static_cast<std::size_t>(written);
    }
  }

  void publish() {
    if (::fsync(fd_) != 0) cannot_write(path_);
    const int fd = std::exchange(fd_, -1);
    if (::close(fd) != 0) cannot_write(path_);
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) cannot_write(path_);
    published_ = true;
    constexpr const char* kInPlace =
        "the new file is in place, but a power failure might still bring back the old one";
    const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) cannot_write(path_, kInPlace);
    const int result = ::fsync(folder);
    const int code = errno;
    ::close(folder);
    errno = code;
    if (result != 0) cannot_write(path_, kInPlace);
  }

 private:
  std::string path_;
  std::string temporary_;
  int fd_ = -1;
  bool published_ = false;
};

// Cuts what is appended into blocks; writes and hashes each.
class BlockWriter {
 public:
  BlockWriter(NewFile& file, const Interrupt& pause) : file_(file), pause_(pause) {
    block_.reserve(SegmentFile::kBlock);
  }

  void append(const void* bytes, std::size_t length) {
    const auto* from = static_cast<const std::byte*>(bytes);
    while (length > 0) {
      const std::size_t part = std::min(length, SegmentFile::kBlock - block_.size());
      block_.insert(block_.end(), from, from + part);
      if (block_.size() == SegmentFile::kBlock) flush();
      from += part;
      length -= part;
    }
  }

  void pad_to(std::size_t offset) {
    static constexpr std::array<std::byte, SegmentFile::kAlign> zeros{};
    append(zeros.data(), offset - (flushed_ + block_.size()));
  }

  const std::vector<std::uint64_t>& finish() {
    flush();
    return checksums_;
  }

 private:
  void flush() {
    if (block_.empty()) return;
    checksums_.push_back(hash(block_.data(), block_.size()));
    file_.append(block_.data(), block_.size());
    flushed_ += block_.size();
    block_.clear();
    if (pause_) pause_();
  }

  NewFile& file_;
  const Interrupt& pause_;
  std::vector<std::byte> block_;
  std::vector<std::uint64_t> checksums_;
  std::size_t flushed_ = 0;
};

}  // namespace

void write_segment_file(const std::string& path, std::span<const SectionData> sections,
                        const Interrupt& pause) {
  std::vector<Entry> entries;
  std::size_t end = sizeof(Header);
  std::vector<std::span<const std::byte>> contents;
  for (const auto& [name, bytes, optional] : sections) {
    if (bytes.empty()) continue;
    Entry& entry = entries.emplace_back();
    std::ranges::copy(name.substr(0, entry.name.size() - 1), entry.name.begin());
    entry.offset = end;
    entry.bytes = bytes.size();
    entry.flags = optional ? kOptional : 0;
    contents.push_back(bytes);
    end = align(end + bytes.size());
  }
  const std::size_t entry_bytes = entries.size() * sizeof(Entry);

  Header header{};
  header.magic = kMagic;
  header.version = kVersion;
  header.sections = static_cast<std::uint32_t>(entries.size());
  header.table_offset = end;
  header.file_bytes = end + entry_bytes + block_count(end) * sizeof(std::uint64_t) + sizeof(Footer);
  header.checksum = frame_checksum(header);

  NewFile file(path);
  BlockWriter blocks(file, pause);
  blocks.append(&header, sizeof header);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    blocks.pad_to(entries[i].offset);
    blocks.append(contents[i].data(), contents[i].size());
  }
  blocks.pad_to(end);
  const auto& checksums = blocks.finish();

  std::vector<std::byte> table(entry_bytes + checksums.size() * sizeof(std::uint64_t));
  if (!entries.empty()) std::memcpy(table.data(), entries.data(), entry_bytes);
  std::memcpy(table.data() + entry_bytes, checksums.data(), checksums.size() * sizeof(std::uint64_t));
  Footer footer{};
  footer.magic = kFooterMagic;
  footer.table_checksum = hash(table.data(), table.size());
  footer.table_offset = header.table_offset;
  footer.sections = header.sections;
  footer.version = header.version;
  footer.checksum = frame_checksum(footer);
  file.append(table.data(), table.size());
  file.append(&footer, sizeof footer);
  file.publish();
}

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
  const bool table_is_right = footer.table_checksum == hash(data_ + end, table_bytes);
  if (strict && !table_is_right) damaged("its table was altered");
  const bool is_as_written =
      version_ < 3 ? read_entries<OldEntry>(header.sections, end) : read_entries<Entry>(header.sections, end);
  if (!table_is_right && !is_as_written) damaged("its table was altered");
  checked_bytes_ = end;
  const auto* checksums = reinterpret_cast<const std::uint64_t*>(data_ + end + entry_bytes);
  checksums_.assign(checksums, checksums + block_count(end));
  verified_ = std::make_unique<std::atomic<bool>[]>(checksums_.size());
  left_to_verify_ = checksums_.size();
}

// Whether they lie as they were written.
template <class AnyEntry>
bool SegmentFile::read_entries(std::size_t count, std::size_t end) {
  const std::span entries(reinterpret_cast<const AnyEntry*>(data_ + end), count);
  names_.reserve(count);
  for (const AnyEntry& entry : entries) {
    if (entry.offset % kAlign != 0 || entry.offset < sizeof(Header) || entry.offset > end ||
        entry.bytes > end - entry.offset)
      damaged("a section lies outside the file");
    if (!has_name(entry)) damaged("a section has no name");
    sections_.push_back(
        {names_.emplace_back(name_of(entry)), {data_ + entry.offset, entry.bytes}, is_optional(entry)});
  }
  asked_for_.assign(count, false);
  return as_written(entries, end);
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
  if (hash(bytes, bytes_in(block)) != checksums_[block]) return false;
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
