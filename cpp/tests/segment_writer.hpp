// Writes segment files from docs/format.md alone, with right checksums whatever the fields say: what a
// hostile hand could make. Shares no code with the engine.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#define XXH_INLINE_ALL
#include "xxhash.h"

using Bytes = std::vector<unsigned char>;

constexpr std::uint32_t kFormatVersion = 2;

template <class T>
Bytes bytes_of(const std::vector<T>& items) {
  Bytes bytes(items.size() * sizeof(T));
  if (!items.empty()) std::memcpy(bytes.data(), items.data(), bytes.size());
  return bytes;
}

struct RawSection {
  std::uint32_t name;
  Bytes content;
};

struct RawEntry {
  std::uint32_t name;
  std::uint32_t zero = 0;
  std::uint64_t offset;
  std::uint64_t bytes;
  std::uint64_t zero2 = 0;
};

struct RawFile {
  std::uint32_t version = kFormatVersion;
  std::vector<RawSection> sections;

  Bytes body;  // from the end of the header to the entry table, made by lay_out
  std::vector<RawEntry> entries;
  std::uint32_t count = 0;
  std::uint64_t table_offset = 0;
  std::int64_t file_bytes_off = 0;  // added to the right value

  void lay_out() {
    for (const RawSection& section : sections) {
      entries.push_back({.name = section.name, .offset = 64 + body.size(), .bytes = section.content.size()});
      body.insert(body.end(), section.content.begin(), section.content.end());
      body.resize((body.size() + 63) / 64 * 64);
    }
    count = static_cast<std::uint32_t>(entries.size());
    table_offset = 64 + body.size();
  }

  Bytes finish() const {
    constexpr std::size_t kBlock = 65536;
    const std::size_t covered = 64 + body.size();
    const std::size_t blocks = (covered + kBlock - 1) / kBlock;
    const std::size_t size = covered + entries.size() * 32 + blocks * 8 + 64;
    Bytes file(size);
    std::memcpy(file.data(), "LOOKSEG\n", 8);
    put(file, 8, version);
    put(file, 12, count);
    put(file, 16, size + static_cast<std::uint64_t>(file_bytes_off));
    put(file, 24, table_offset);
    put(file, 56, XXH3_64bits(file.data(), 56));
    if (!body.empty()) std::memcpy(file.data() + 64, body.data(), body.size());
    std::size_t at = covered;
    for (const RawEntry& entry : entries) {
      std::memcpy(file.data() + at, &entry, 32);
      at += 32;
    }
    for (std::size_t begin = 0; begin < covered; begin += kBlock, at += 8)
      put(file, at, XXH3_64bits(file.data() + begin, std::min(kBlock, covered - begin)));
    std::memcpy(file.data() + at, "\nGESKOOL", 8);
    put(file, at + 8, XXH3_64bits(file.data() + covered, at - covered));
    put(file, at + 16, table_offset);
    put(file, at + 24, count);
    put(file, at + 28, version);
    put(file, at + 56, XXH3_64bits(file.data() + at, 56));
    return file;
  }

  template <class T>
  static void put(Bytes& file, std::size_t at, T value) {
    std::memcpy(file.data() + at, &value, sizeof value);
  }
};

/// A path in a folder of its own, gone with its folder at the end.
class TemporaryPath {
 public:
  TemporaryPath() {
    std::string name = (std::filesystem::temp_directory_path() / "lookalike-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  TemporaryPath(const TemporaryPath&) = delete;
  TemporaryPath& operator=(const TemporaryPath&) = delete;
  ~TemporaryPath() { std::filesystem::remove_all(folder_); }

  std::string path() const { return (folder_ / "segment").string(); }
  const std::string& write(const Bytes& bytes) {
    path_ = path();
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path_;
  }

 private:
  std::filesystem::path folder_;
  std::string path_;
};
