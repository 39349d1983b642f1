// Writes segment files.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/errors.hpp"
#include "engine/segment/frame.hpp"
#include "engine/segment/segment_file.hpp"

namespace lookalike {
namespace {

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
    checksums_.push_back(frame_hash(block_.data(), block_.size()));
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
  footer.table_checksum = frame_hash(table.data(), table.size());
  footer.table_offset = header.table_offset;
  footer.sections = header.sections;
  footer.version = header.version;
  footer.checksum = frame_checksum(footer);
  file.append(table.data(), table.size());
  file.append(&footer, sizeof footer);
  file.publish();
}

}  // namespace lookalike
