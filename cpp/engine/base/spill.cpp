#include "engine/base/spill.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "engine/base/errors.hpp"
#include "engine/tuning.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace lookalike {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;  // of zeros, written at once

// Zeros are written where the file system can keep no room free: it would take a mere length (ftruncate)
// without a block behind it, and a full disk would then end a mapped write by SIGBUS. Returns errno.
int write_zeros(int fd, std::size_t bytes) {
  const std::vector<char> zeros(std::min(bytes, kPiece));
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t written =
        ::pwrite(fd, zeros.data(), std::min(bytes - done, kPiece), static_cast<off_t>(done));
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  return 0;
}

// Room on the disk for so many bytes, and that length. Returns errno.
int make_room(int fd, std::size_t bytes) {
#if defined(__APPLE__)  // which has no posix_fallocate; what was set aside is not the file's length yet
  fstore_t wanted{F_ALLOCATEALL, F_PEOFPOSMODE, 0, static_cast<off_t>(bytes), 0};
  if (::fcntl(fd, F_PREALLOCATE, &wanted) == 0)
    return ::ftruncate(fd, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
  const int code = errno;
#else
  int code = 0;
  do code = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  while (code == EINTR);
#endif
  // glibc writes by itself where the file system cannot; musl, and the BSDs on ZFS, leave it to us
  return code == EOPNOTSUPP || code == ENOTSUP || code == EINVAL || code == ENOSYS ? write_zeros(fd, bytes)
                                                                                   : code;
}

// An unlinked file with room for so many bytes.
int unnamed_file(const std::string& path, std::size_t bytes) {
  std::string name = path + ".spill-XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  int code = fd < 0 ? errno : 0;
  if (fd >= 0) {
    ::unlink(name.c_str());
    code = make_room(fd, bytes);
  }
  if (code == 0) return fd;
  if (fd >= 0) ::close(fd);
  throw WriteError(code, "cannot write " + name + ", which takes " + std::to_string(bytes >> 20) +
                             " MiB while vectors are sealed: " + std::strerror(code) +
                             "; what was there before is unchanged");
}

}  // namespace

Spill::Spill(std::string path) : path_(std::move(path)), last_(std::chrono::steady_clock::now()) {}

Spill::~Spill() = default;  // whoever mapped has unmapped

void* Spill::map(std::size_t bytes) {
  bytes = std::max<std::size_t>(bytes, 1);
  const int fd = unnamed_file(path_, bytes);
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  const std::scoped_lock lock(mutex_);
  regions_[memory] = bytes;
  return memory;
}

void Spill::unmap(void* memory, std::size_t bytes) {
  release(memory);
  ::munmap(memory, std::max<std::size_t>(bytes, 1));
}

void Spill::watch(const void* memory, std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  regions_[const_cast<void*>(memory)] = bytes;
}

void Spill::release(const void* memory) {
  const std::scoped_lock lock(mutex_);
  regions_.erase(const_cast<void*>(memory));
}

void Spill::breathe() {
  const auto now = std::chrono::steady_clock::now();
  const std::scoped_lock lock(mutex_);
  if (now - last_ < tuning::kBetweenBreaths) return;
  // The pages of a shared mapping are the file's: only this process's hold on them goes.
  for (const auto& [memory, bytes] : regions_) ::madvise(memory, bytes, MADV_DONTNEED);
  last_ = std::chrono::steady_clock::now();
}

void Spill::give_back_freed() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace lookalike
