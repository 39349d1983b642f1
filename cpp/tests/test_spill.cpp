// Memory in unnamed files: zeros at first, kept when its pages are given back, refused where there is no
// room.
#include <fcntl.h>
#include <sys/resource.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <thread>

#include "check.hpp"
#include "engine/base/array.hpp"
#include "engine/base/errors.hpp"
#include "segment_writer.hpp"

using namespace lookalike;

#if defined(__linux__)
static bool keeps_no_room = false;

// In the place of the C library's: it answers for a file system that keeps no room, as musl's does on NFS.
extern "C" int posix_fallocate(int fd, off_t offset, off_t length) {
  if (keeps_no_room) return EOPNOTSUPP;
  return ::fallocate(fd, 0, offset, length) == 0 ? 0 : errno;
}
#endif

TEST(what_was_written_is_there_after_its_pages_were_given_back) {
  TemporaryPath temporary;
  const auto spill = std::make_shared<Spill>(temporary.path());
  constexpr std::size_t kCount = 3'000'000;
  Array<int> items(kCount, HugePages<int>(spill));
  for (std::size_t i = 0; i < kCount; i += 1000) CHECK(items[i] == 0);
  for (std::size_t i = 0; i < kCount; ++i) items[i] = static_cast<int>(i);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(12));
    spill->breathe();
    for (std::size_t i = 0; i < kCount; i += 777) CHECK(items[i] == static_cast<int>(i));
  }
  CHECK(std::filesystem::is_empty(std::filesystem::path(temporary.path()).parent_path()));
}

TEST(an_array_keeps_its_spill_when_it_is_moved_grown_and_swapped) {
  TemporaryPath temporary;
  const auto spill = std::make_shared<Spill>(temporary.path());
  Array<int> a(HugePages<int>{spill}), b;
  for (int i = 0; i < 10'000; ++i) a.push_back(i);
  b = std::move(a);
  CHECK(b.get_allocator().spill() == spill && b[9'999] == 9'999);
  Array<int> c(5, 7);
  std::swap(b, c);
  CHECK(c.get_allocator().spill() == spill && c.size() == 10'000);
  CHECK(b.get_allocator().spill() == nullptr && b[4] == 7);
}

TEST(a_folder_that_is_not_there_or_has_no_room_is_an_error) {
  Spill nowhere("/nowhere/at/all");
  CHECK_THROWS(WriteError, "No such file", nowhere.map(1));
  TemporaryPath temporary;
  Spill here(temporary.path());
  CHECK_THROWS(WriteError, "MiB while vectors are sealed", here.map(std::size_t{1} << 55));
  CHECK(std::filesystem::is_empty(std::filesystem::path(temporary.path()).parent_path()));
}

#if defined(__linux__)
TEST(where_no_room_can_be_kept_zeros_are_written_and_a_full_disk_is_an_error) {
  TemporaryPath temporary;
  Spill spill(temporary.path());
  keeps_no_room = true;
  constexpr std::size_t kBytes = (std::size_t{3} << 20) + 5;
  auto* memory = static_cast<char*>(spill.map(kBytes));
  for (std::size_t i = 0; i < kBytes; ++i) CHECK(memory[i] == 0);
  memory[kBytes - 1] = 1;
  spill.unmap(memory, kBytes);

  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = rlim_t{2} << 20;
  ::setrlimit(RLIMIT_FSIZE, &small);
  CHECK_THROWS(WriteError, "3 MiB while vectors are sealed", spill.map(kBytes));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  keeps_no_room = false;
  CHECK(std::filesystem::is_empty(std::filesystem::path(temporary.path()).parent_path()));
}
#endif
