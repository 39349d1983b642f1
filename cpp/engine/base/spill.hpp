// Memory in files without a name: what is not being used lies on the disk.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace lookalike {

/// Large arrays that are built once and read in turn, such as the vectors of a segment that is being sealed.
/// The system writes them back as it likes, and `breathe` takes their pages out of this process. Safe from
/// many threads.
class Spill {
 public:
  /// Files are made beside `path`, with names that begin like it, and unlinked at once.
  explicit Spill(std::string path);
  ~Spill();
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;

  /// Memory of zeros, for which there is room on the disk. Throws WriteError.
  void* map(std::size_t bytes);
  void unmap(void* memory, std::size_t bytes);

  /// A mapped file whose pages are given back, too, until `release`.
  void watch(const void* memory, std::size_t bytes);
  void release(const void* memory);

  /// To be called often: now and then the pages in use are given back. They come again when they are touched.
  void breathe();

  /// Returns what was freed elsewhere, scattered over pages that are used in part, to the system; only glibc
  /// can. Threads that allocate wait meanwhile, tens of milliseconds where much was freed.
  static void give_back_freed();

 private:
  std::string path_;
  std::mutex mutex_;  // over the two below
  std::map<void*, std::size_t> regions_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace lookalike
