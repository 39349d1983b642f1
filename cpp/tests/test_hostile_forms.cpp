// Hostile files of every store and family, with right checksums: refused at open, or used without harm.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "check.hpp"
#include "engine/base/errors.hpp"
#include "engine/hash/cross_polytope.hpp"
#include "engine/hash/hyperplanes.hpp"
#include "sealed_file.hpp"
#include "use_index.hpp"

using namespace lookalike;

namespace {

using File = SealedFile;

using How = void (*)(Index&);

constexpr std::uint32_t kNone = 0xFFFFFFFF;  // what bucket_of says of a code without rows

const std::vector<std::pair<Form, File>>& sound_files() {
  static const auto files = [] {
    std::vector<std::pair<Form, File>> all;
    for (const auto& [metric, store] : {std::pair{Metric::euclidean, Store::float32},
                                        {Metric::cosine, Store::float16},
                                        {Metric::dot, Store::none},
                                        {Metric::hamming, Store::bits}})
      for (const auto& [family, tables] :
           {std::pair{&kSpheres, 1U}, {&kHyperplanes, 3U}, {&kCrossPolytope, 2U}}) {
        const Form form{metric, store, family, tables};
        all.emplace_back(form, File(form));
      }
    return all;
  }();
  return files;
}

bool has_codes(const Form& form) {
  return form.family != &kSpheres;
}

/// What opening says, or "" where the file was opened and used.
std::string said_of(const File& file, How how = use) {
  TemporaryPath temporary;
  try {
    Index index(temporary.write(file.file()));
    how(index);
  } catch (const DamagedError& error) {
    return error.what();
  } catch (const NotAnIndexError& error) {  // a newer one
    return error.what();
  }
  return "";
}

void check_refused(const Form& form, const File& file, std::string_view words) {
  const std::string said = said_of(file);
  CHECK(said.find(words) != std::string::npos && !said.empty(), form.label(), "expected", words, "got", said);
}

template <class Change>
void refused(const Form& form, const File& sound, std::string_view words, Change change) {
  File file = sound;
  change(file);
  check_refused(form, file, words);
}

template <class Change>
void harmless(const Form& form, const File& sound, Change change, How how = use) {
  File file = sound;
  change(file);
  const std::string said = said_of(file, how);
  CHECK(said.empty(), form.label(), said);
}

}  // namespace

TEST(sound_files_of_every_form_can_be_used) {
  for (const auto& [form, sound] : sound_files()) {
    CHECK(sound.number(File::kRouter, File::kBuckets) > 2, form.label());
    harmless(form, sound, [](File&) {}, use_and_change);
  }
}

TEST(fields_of_the_shape_may_hold_anything) {
  for (const auto& [form, sound] : sound_files())
    for (const std::string& section : {File::kSegment, File::kRouter, File::kCodes}) {
      if (!sound.sections.contains(section)) continue;
      for (std::size_t field = 0; field < sound.count(section); ++field)
        for (const std::uint32_t value :
             {0U, 1U, 2U, 5U, 257U, 0x00100000U, 0x7FC00000U, 0x80000000U, 0xFFFFFFFFU}) {
          File file = sound;
          file.set(section, field, value);
          said_of(file, [](Index& index) { index.search(Questions(index).data(), 1, {}, {}); });
        }
    }
}

TEST(what_a_hostile_file_asks_of_the_next_sealing_is_bounded) {
  for (const auto& [form, sound] : sound_files()) {
    for (const std::uint32_t asked : {1U, 0xFFFFFFFFU})
      harmless(
          form, sound, [&](File& file) { file.set(File::kSegment, File::kAskedBuckets, asked); },
          use_and_change);
    harmless(
        form, sound, [](File& file) { file.set(File::kSegment, File::kAskedTables, 16); }, use_and_change);
    for (const std::uint32_t asked : {257U, 0xFFFFFFFFU})
      refused(form, sound, "no sense",
              [&](File& file) { file.set(File::kSegment, File::kAskedTables, asked); });
  }
}

TEST(sections_of_any_form_have_the_length_that_the_shape_asks_for) {
  for (const auto& [form, sound] : sound_files())
    for (const auto& [name, bytes] : sound.sections) {
      if (name == File::kNote) continue;
      for (const std::size_t length : {std::size_t{0}, bytes.size() / 2, bytes.size() - 1, bytes.size() + 1,
                                       bytes.size() + 64, 2 * bytes.size()})
        if (name == File::kFarthest && length == 0)  // as in a file of before
          harmless(form, sound, [](File& file) { file.sections[File::kFarthest].clear(); });
        else
          refused(form, sound,
                  name == File::kRouter && length == 0 ? "router in another file" : "wrong length",
                  [name = name, length](File& file) { file.sections[name].resize(length); });
    }
}

TEST(buckets_and_members_of_any_form_are_there) {
  for (const auto& [form, sound] : sound_files()) {
    const std::uint32_t buckets = sound.number(File::kRouter, File::kBuckets);
    for (std::size_t at = 0; at < sound.count(File::kStarts); ++at)
      refused(form, sound, "do not hold its rows", [at](File& file) { file.set(File::kStarts, at, kNone); });
    refused(form, sound, "do not hold its rows", [&](File& file) {  // a bucket over the end of a table
      for (std::size_t at = 0; at <= buckets; ++at)
        if (file.number(File::kStarts, at) == File::kRows) file.set(File::kStarts, at, File::kRows + 1);
    });
    refused(form, sound, "a row that it does not have",
            [](File& file) { file.set(File::kById, 7, File::kRows); });
    if (!has_codes(form)) {
      refused(form, sound, "outside its group", [](File& file) { file.set(File::kGroupStarts, 1, kNone); });
      continue;
    }
    for (const std::uint32_t row : {std::uint32_t{File::kRows}, kNone})
      for (const std::size_t at : {std::size_t{0}, sound.count(File::kLaterMembers) - 1})
        refused(form, sound, "a row that is not there",
                [&](File& file) { file.set(File::kLaterMembers, at, row); });
  }
}

TEST(a_code_has_a_bucket_of_its_own_or_none) {
  for (const auto& [form, sound] : sound_files()) {
    if (!has_codes(form)) continue;
    const std::uint32_t buckets = sound.number(File::kRouter, File::kBuckets);
    std::vector<std::size_t> codes;  // that have a bucket
    for (std::size_t at = 0; at < sound.count(File::kBucketOf); ++at)
      if (sound.number(File::kBucketOf, at) != kNone) codes.push_back(at);
    CHECK(codes.size() == buckets, form.label());
    const auto told = [&, &form = form, &sound = sound](auto change) {
      refused(form, sound, "codes do not name its buckets", change);
    };
    told([&](File& file) { file.set(File::kBucketOf, codes[1], buckets); });
    told([&](File& file) { file.set(File::kBucketOf, codes[1], kNone - 1); });
    told([&](File& file) { file.set(File::kBucketOf, codes[1], 0); });
    told([&](File& file) { file.set(File::kBucketOf, codes.back(), kNone); });
    told([](File& file) { file.fill(File::kBucketOf, 0); });
    told([](File& file) { file.fill(File::kBucketOf, kNone); });
  }
}

TEST(members_of_later_tables_in_any_order_are_harmless) {
  for (const auto& [form, sound] : sound_files()) {
    if (!has_codes(form)) continue;
    for (const std::uint32_t row : {0U, std::uint32_t{File::kRows} - 1})
      harmless(form, sound, [row](File& file) { file.fill(File::kLaterMembers, row); });
    harmless(form, sound, [](File& file) { file.fill(File::kLaterMembers, 3, 2); });
    harmless(form, sound, [](File& file) {
      for (std::size_t at = 0; at < file.count(File::kLaterMembers); ++at)
        file.set(File::kLaterMembers, at, static_cast<std::uint32_t>(File::kRows - 1 - at % File::kRows));
    });
  }
}

// More than half of the rows are gone, and the router says that it was learned for many: so those that are
// left are sealed under it, with rows that came.
TEST(members_that_are_no_rows_do_no_harm_where_they_are_sealed_again) {
  constexpr std::size_t kMore = 4200;
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  std::vector<float> more(kMore * File::kDim);
  for (float& value : more) value = normal(random);
  for (const auto& [form, sound] : sound_files()) {
    if (!has_codes(form) || form.store == Store::bits) continue;
    File file = sound;
    file.set(File::kRouter, 0, kMore);
    file.fill("router/bounds", 0x7F7FFFFF);
    file.fill(File::kLaterMembers, 0);
    TemporaryPath temporary;
    Index index(temporary.write(file.file()));
    const std::vector<std::int64_t> ids = index.ids();
    index.remove(std::span(ids).first(100));
    index.add(more.data(), kMore, nullptr, false);
    for (int patience = 0; index.snapshot()->fresh_rows() > 0 && patience < 60'000; ++patience)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    CHECK(index.size() == File::kRows - 100 + kMore && index.snapshot()->fresh_rows() == 0, form.label());
    use(index);
  }
}

TEST(sections_of_numbers_may_hold_any_numbers) {
  constexpr std::uint32_t kInf = 0x7F800000, kNegative = 0xFF61B1E6, kNan = 0xFFFFFFFF;  // inf, −3e38, NaN
  constexpr std::uint32_t kInfHalves = 0x7C007C00;
  const std::vector<std::string> of_numbers = {
      "vectors",           "inverse_norms",        "sketches",       "bytes",        "reaches",
      "router/projection", "router/group_centres", "router/centres", "router/curve", "router/middle",
      "router/bounds"};
  for (const auto& [form, sound] : sound_files())
    for (const std::string& name : of_numbers) {
      if (!sound.sections.contains(name)) continue;
      for (const std::uint32_t value : {0U, kInf, kNegative, kNan, kInfHalves})
        for (const std::size_t step : {1U, 3U})
          harmless(
              form, sound, [&](File& file) { file.fill(name, value, step); },
              name == File::kVectors ? use_and_change : use);
    }
}

TEST(random_bytes_in_any_section_are_refused_or_harmless) {  // 10,000 times each with LOOKALIKE_LONG=1
  const char* wanted = std::getenv("LOOKALIKE_LONG");
  const int rounds = wanted != nullptr && std::string_view(wanted) == "1" ? 10'000 : 15;
  std::mt19937 random(4);
  for (const auto& [form, sound] : sound_files())
    for (int round = 0; round < rounds; ++round) {
      File file = sound;
      const auto section =
          std::next(file.sections.begin(), static_cast<std::ptrdiff_t>(random() % file.sections.size()));
      Bytes& bytes = section->second;
      for (std::size_t n = random() % 8 + 1; n > 0; --n)
        bytes[random() % bytes.size()] = static_cast<unsigned char>(random());
      if (random() % 16 == 0) bytes.resize(random() % (2 * bytes.size()));
      said_of(file, use_and_change);
    }
}
