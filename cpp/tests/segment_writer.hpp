// Writes segment files from docs/format.md alone, with right checksums whatever the fields say: what a
// hostile hand could make. Shares no code with the engine.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#define XXH_INLINE_ALL
#include "xxhash.h"

using Bytes = std::vector<unsigned char>;

constexpr std::uint32_t kFormatVersion = 3;

template <class T>
Bytes bytes_of(const std::vector<T>& items) {
  Bytes bytes(items.size() * sizeof(T));
  if (!items.empty()) std::memcpy(bytes.data(), items.data(), bytes.size());
  return bytes;
}

struct RawSection {
  std::string name;  // before version 3 a number
  Bytes content;
  std::uint32_t flags = 0;
};

struct RawEntry {
  std::string name;
  std::uint64_t offset;
  std::uint64_t bytes;
  std::uint32_t flags = 0;
};

/// Of the parts of a router, as the page says.
inline void name_router(std::vector<RawSection>& sections) {
  std::map<std::string, const Bytes*> parts;
  Bytes* segment = nullptr;
  for (RawSection& section : sections) {
    if (section.name.starts_with("router/")) parts[section.name.substr(7)] = &section.content;
    if (section.name == "segment") segment = &section.content;
  }
  if (segment == nullptr || segment->size() < 48) return;
  Bytes all;
  for (const auto& [name, content] : parts) {
    if (content->empty()) continue;
    all.insert(all.end(), name.begin(), name.end());
    for (const Bytes& part : {bytes_of(std::vector<std::uint64_t>{content->size()}), *content})
      all.insert(all.end(), part.begin(), part.end());
  }
  const XXH128_hash_t hash = XXH3_128bits(all.data(), all.size());
  if (!all.empty()) std::memcpy(segment->data() + 32, &hash, 16);
}

struct RawFile {
  std::uint32_t version = kFormatVersion;
  std::vector<RawSection> sections;

  Bytes body;  // from the end of the header to the entry table, made by lay_out
  std::vector<RawEntry> entries;
  std::uint32_t count = 0;
  std::uint64_t table_offset = 0;
  std::int64_t file_bytes_off = 0;  // added to the right value

  bool is_old() const { return version == 1 || version == 2; }

  void lay_out() {
    for (const RawSection& section : sections) {
      entries.push_back({section.name, 64 + body.size(), section.content.size(), section.flags});
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
    const std::size_t entry_bytes = is_old() ? 32 : 64;
    const std::size_t size = covered + entries.size() * entry_bytes + blocks * 8 + 64;
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
      if (is_old())
        put(file, at, static_cast<std::uint32_t>(std::stoul(entry.name)));
      else
        std::memcpy(file.data() + at, entry.name.data(), std::min<std::size_t>(entry.name.size(), 32));
      put(file, at + (is_old() ? 8 : 32), entry.offset);
      put(file, at + (is_old() ? 16 : 40), entry.bytes);
      if (!is_old()) put(file, at + 48, entry.flags);
      at += entry_bytes;
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
