#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "check.hpp"
#include "engine/base/errors.hpp"
#include "engine/segment/segment_file.hpp"
#include "segment_writer.hpp"

using namespace lookalike;

namespace {

RawFile sound() {
  RawFile file;
  file.sections = {{"segment", Bytes(64, 1)},
                   {"ids", bytes_of(std::vector<std::int64_t>{4, 5, 6})},
                   {"vectors", Bytes(200'000, 7)},
                   {"colours", {1}, 1}};
  file.lay_out();
  return file;
}

}  // namespace

TEST(a_file_written_by_the_page_of_the_format_opens) {
  TemporaryPath temporary;
  const SegmentFile file(temporary.write(sound().finish()));
  const auto ids = file.get<std::int64_t>("ids", 3);
  CHECK(ids[0] == 4 && ids[2] == 6);
  CHECK(file.bytes_of("vectors") == 200'000);
  CHECK(file.get<char>("vectors", 200'000)[199'999] == 7);
  CHECK(file.get<char>("note", 0).empty());
  CHECK(file.get<char>("router/curve", 0).empty());
}

TEST(the_engine_writes_what_the_page_of_the_format_says) {
  TemporaryPath temporary;
  const RawFile raw = sound();
  std::vector<SectionData> sections;
  for (const RawSection& section : raw.sections)
    sections.push_back({section.name, std::as_bytes(std::span(section.content)), section.flags == 1});
  sections.push_back({"empty", {}});  // is left out
  write_segment_file(temporary.path(), sections);
  std::ifstream stream(temporary.path(), std::ios::binary);
  const Bytes written{std::istreambuf_iterator<char>(stream), {}};
  CHECK(written == raw.finish());
}

TEST(sections_are_as_long_as_asked_for) {
  TemporaryPath temporary;
  const SegmentFile file(temporary.write(sound().finish()));
  for (const std::size_t count :
       {std::size_t{0}, std::size_t{2}, std::size_t{4}, ~std::size_t{0}, (std::size_t{1} << 61) + 3})
    CHECK_THROWS(DamagedError, "section ids has the wrong length", file.get<std::int64_t>("ids", count));
  CHECK_THROWS(DamagedError, "section router/curve has the wrong length",
               file.get<std::uint32_t>("router/curve", 1));
}

TEST(entries_that_lie_outside_the_file_are_refused) {
  const std::uint64_t end = sound().table_offset;
  const auto opens = [](std::uint64_t offset, std::uint64_t bytes) {
    RawFile file = sound();
    file.entries[1].offset = offset;
    file.entries[1].bytes = bytes;
    TemporaryPath temporary;
    try {
      const SegmentFile opened(temporary.write(file.finish()));
      for (const unsigned char byte : opened.get<unsigned char>("ids", bytes)) static_cast<void>(byte);
      return true;
    } catch (const DamagedError& error) {
      CHECK(std::string(error.what()).find("a section lies outside the file") != std::string::npos,
            error.what());
      return false;
    }
  };
  CHECK(opens(64, end - 64));  // overlaps all others, which hurts nobody
  CHECK(opens(end, 0));
  for (const auto& [offset, bytes] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{{64, end - 63},
                                                            {end, 1},
                                                            {end + 64, 0},
                                                            {0, 8},
                                                            {32, 8},
                                                            {65, 8},
                                                            {~0ULL - 63, 64},
                                                            {128, ~0ULL},
                                                            {128, ~0ULL - 127},
                                                            {1ULL << 63, 1ULL << 63}})
    CHECK(!opens(offset, bytes), offset, bytes);
}

TEST(headers_that_make_no_sense_are_refused) {
  const auto refused = [](const char* words, auto change) {
    RawFile file = sound();
    change(file);
    TemporaryPath temporary;
    CHECK_THROWS(DamagedError, words, SegmentFile(temporary.write(file.finish())));
  };
  for (const std::uint32_t count : {0U, 3U, 5U, 64U, 4096U, 4097U, 0xFFFFFFFFU})
    refused("", [&](RawFile& file) { file.count = count; });
  for (const std::uint64_t offset : {0ULL, 63ULL, 64ULL, 128ULL, 1ULL << 40, ~0ULL, ~0ULL - 63})
    refused("", [&](RawFile& file) { file.table_offset = offset; });
  for (const std::int64_t off : {-1LL, 1LL, 1LL << 40})
    refused("bytes where", [&](RawFile& file) { file.file_bytes_off = off; });
}

TEST(a_later_version_asks_for_a_newer_lookalike) {
  for (const std::uint32_t version : {0U, kFormatVersion + 1, 0xFFFFFFFFU}) {
    RawFile file = sound();
    file.version = version;
    TemporaryPath temporary;
    CHECK_THROWS(NotAnIndexError, "format version " + std::to_string(version) + ", this lookalike reads",
                 SegmentFile(temporary.write(file.finish())));
  }
}

TEST(a_file_without_sections_opens_and_holds_nothing) {
  RawFile file;
  file.lay_out();
  TemporaryPath temporary;
  const SegmentFile opened(temporary.write(file.finish()));
  CHECK(opened.bytes_of("segment") == 0);
}

TEST(every_altered_byte_and_every_truncation_is_noticed) {
  RawFile raw;
  raw.sections = {{"ids", bytes_of(std::vector<std::int64_t>{4, 5, 6})}, {"vectors", Bytes(100, 7)}};
  raw.lay_out();
  const Bytes whole = raw.finish();
  TemporaryPath temporary;
  const auto notices = [&](const Bytes& bytes) {
    try {
      const SegmentFile file(temporary.write(bytes));
      file.get<std::int64_t>("ids", 3);
      file.get<char>("vectors", 100);
      return false;
    } catch (const DamagedError&) {
      return true;
    } catch (const NotAnIndexError&) {
      return true;
    }
  };
  CHECK(!notices(whole));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Bytes damaged = whole;
    damaged[i] ^= 0x10;
    CHECK(notices(damaged), "byte", i);
    damaged = whole;
    damaged.resize(i);
    CHECK(notices(damaged), "truncated to", i);
  }
}

TEST(a_truncation_of_an_open_file_is_damage_where_it_is_verified) {
  for (const std::size_t left :
       {std::size_t{0}, std::size_t{100}, std::size_t{70'000}, std::size_t{200'300}}) {
    TemporaryPath temporary;
    const SegmentFile looked_at(temporary.write(sound().finish()));
    const SegmentFile whole(temporary.path());
    CHECK(::truncate(temporary.path().c_str(), static_cast<off_t>(left)) == 0);
    CHECK_THROWS(DamagedError, "it was truncated while it was in use",
                 looked_at.get<char>("vectors", 200'000));
    CHECK_THROWS(DamagedError, "it was truncated while it was in use", whole.touch_all());
  }
}

TEST(an_open_file_outlives_its_name) {
  TemporaryPath temporary;
  const SegmentFile deleted(temporary.write(sound().finish()));
  CHECK(::unlink(temporary.path().c_str()) == 0);
  deleted.touch_all();
  temporary.write(Bytes(10, 1));  // another one, which is shorter
  const auto vectors = deleted.get<char>("vectors", 200'000);
  CHECK(vectors[199'999] == 7);
}
