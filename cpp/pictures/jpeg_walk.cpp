#include "pictures/jpeg_walk.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

namespace lookalike {
namespace {

using Byte = std::uint8_t;

constexpr std::uint64_t kMostBlocks = 5U << 20;  // of a progressive picture; larger ones are not read
constexpr int kQuick = 10;                       // bits of a code that are looked up at once
constexpr int kSeveral = 11;          // bits in which several codes are, with the values that follow
constexpr std::size_t kPadding = 64;  // bytes behind a scan that cameras write and mean nothing by

/// Why a walk ends early. `Unknown` is no damage: another process of coding.
enum class End { kUnknown, kDamaged };

/// A Huffman table (T.81, annex C and F.2.2.3).
class Huffman {
 public:
  void read(const Byte* counts, const Byte* symbols) {
    quick_.fill({});
    std::copy_n(symbols, 256, symbols_.begin());
    std::uint32_t code = 0;
    int k = 0;
    for (int length = 1; length <= 16; ++length) {
      first_[length] = k - static_cast<int>(code);
      for (int i = 0; i < counts[length - 1]; ++i, ++code, ++k) {
        if (code >> length) throw End::kDamaged;  // more codes than there are
        if (length > kQuick) continue;
        const int rest = kQuick - length;
        std::fill_n(quick_.begin() + (code << rest), std::size_t{1} << rest, entry_of(length, symbols[k]));
      }
      limit_[length] = code;
      code <<= 1;
    }
    there_ = true;
    is_joined_ = false;
  }

  /// As many codes of coefficients, each with its value, as lie in some bits.
  struct Several {
    Byte bits = 0;  // 0: not even one
    Byte before =
        0;  // coefficients before the last code: with `k` before them less than 64, all of it is of one block
    Byte step = 0;  // and with it
  };

  /// What to look them up by; they take less than half the time of one after the other.
  const Several* several() {
    if (!is_joined_) join();
    return several_.data();
  }

  struct Entry {
    Byte length = 0;  // 0: longer, or none
    Byte symbol = 0;
    Byte bits = 0;  // of the code, and of the value that follows where blocks come whole
    Byte step = 0;  // coefficients that are done with then
  };

  /// The code at the head of these 16 bits; of length 0 where there is none.
  Entry at(std::uint32_t head) const {
    const Entry entry = quick_[head >> (16 - kQuick)];
    if (entry.length) return entry;
    for (int length = kQuick + 1; length <= 16; ++length) {
      const std::uint32_t code = head >> (16 - length);
      if (code < limit_[length]) {
        const int k = first_[length] + static_cast<int>(code);
        return entry_of(length, k >= 0 && k < 256 ? symbols_[k] : Byte{0});
      }
    }
    return {};
  }

  static constexpr int kRest = 128;  // the step where no further coefficient comes

 private:
  static Entry entry_of(int length, Byte symbol) {
    const int size = symbol & 0xF, step = size || symbol == 0xF0 ? (symbol >> 4) + 1 : kRest;
    return {static_cast<Byte>(length), symbol, static_cast<Byte>(length + size), static_cast<Byte>(step)};
  }

 public:
  bool is_there() const { return there_; }

 private:
  void join() {
    for (std::uint32_t head = 0; head < several_.size(); ++head) {
      Several all;
      while (all.step < 64) {
        const Entry next = at(head << (16 - kSeveral + all.bits) & 0xFFFF);
        if (!next.length || all.bits + next.bits > kSeveral) break;
        all.before = all.step;
        all.bits = static_cast<Byte>(all.bits + next.bits);
        all.step = static_cast<Byte>(all.step + next.step);
      }
      several_[head] = all;
    }
    is_joined_ = true;
  }

  std::array<Several, 1 << kSeveral> several_{};
  bool is_joined_ = false;
  std::array<Entry, 1 << kQuick> quick_{};
  std::array<Byte, 256> symbols_{};
  std::array<int, 17> first_{};            // place of a length's first symbol, less its first code
  std::array<std::uint32_t, 17> limit_{};  // one more than a length's last code
  bool there_ = false;
};

/// The bits of a scan up to the next marker; behind it come zeros.
class Bits {
 public:
  Bits(const Byte* at, const Byte* end) : at_(at), end_(end) {}

  /// At least 32 bits are there then.
  [[gnu::always_inline]] void fill() {
    if (count_ < 32) [[unlikely]]
      more();
  }

  std::uint32_t head() const { return static_cast<std::uint32_t>(buffer_ >> (count_ - 16)) & 0xFFFF; }
  void skip(int bits) { count_ -= bits; }
  std::uint32_t take(int bits) {
    count_ -= bits;
    return static_cast<std::uint32_t>(buffer_ >> count_) & ((1U << bits) - 1);
  }

  /// Whether more bits were asked for than there were.
  bool is_over() const { return count_ < zeros_; }

  /// Bytes that were not asked for.
  std::size_t left(const Byte* marker) const {
    return static_cast<std::size_t>(std::max(count_ - zeros_, 0) / 8 + (marker - at_));
  }

  const Byte* at() const { return at_; }

 private:
  [[gnu::always_inline]] void more() {
    std::uint32_t four;
    if (end_ - at_ >= 4) [[likely]] {
      std::memcpy(&four, at_, 4);
      if (!((four & ~(four + 0x01010101U)) & 0x80808080U)) [[likely]] {  // no byte is 0xFF
        if constexpr (std::endian::native == std::endian::little) four = swapped(four);
        buffer_ = buffer_ << 32 | four;
        count_ += 32;
        at_ += 4;
        return;
      }
    }
    while (count_ <= 56) {
      buffer_ = buffer_ << 8 | next();
      count_ += 8;
    }
  }

  static std::uint32_t swapped(std::uint32_t x) {
    return x >> 24 | (x >> 8 & 0xFF00) | (x << 8 & 0xFF0000) | x << 24;
  }

  Byte next() {
    if (at_ < end_ && *at_ != 0xFF) return *at_++;
    if (end_ - at_ >= 2 && at_[1] == 0) {  // a stuffed byte
      at_ += 2;
      return 0xFF;
    }
    zeros_ += 8;
    return 0;
  }

  const Byte* at_;
  const Byte* end_;
  std::uint64_t buffer_ = 0;
  int count_ = 0;  // of bits in the buffer
  int zeros_ = 0;  // of them, and of those before, how many were made up
};

struct Component {
  int id = 0, across = 1, down = 1;     // sampling factors
  std::uint32_t width = 0, height = 0;  // in blocks of its own
  std::uint32_t stride = 0;             // blocks in a line of whole MCUs
  std::size_t offset = 0;               // of its blocks among all
  std::array<int, 64> sent{};           // bits of each coefficient that are to come; -1 before the first scan
};

struct Scan {
  std::array<int, 4> of{}, dc{}, ac{};  // components, and their tables
  int components = 0, first = 0, last = 63, high = 0, low = 0;
};

class Walk {
 public:
  explicit Walk(std::span<const Byte> data) : at_(data.data()), end_(data.data() + data.size()) {}

  JpegWalk run() {
    try {
      segments();
    } catch (const End end) {
      if (end == End::kUnknown) return {};
      damaged_ = true;
    }
    if (!total_) return {};
    const double share = static_cast<double>(std::min(met_, total_)) / static_cast<double>(total_);
    return {true, damaged_ || share < 1 || !is_all_sent(), share};
  }

 private:
  void segments() {
    if (end_ - at_ < 2 || at_[0] != 0xFF || at_[1] != 0xD8) throw End::kUnknown;
    at_ += 2;
    for (;;) {
      while (at_ < end_ && *at_ != 0xFF) ++at_;
      while (at_ < end_ && *at_ == 0xFF) ++at_;
      if (at_ == end_) throw End::kDamaged;
      const Byte marker = *at_++;
      if (marker == 0xD9) return;
      if (marker == 0 || marker == 1 || (marker >= 0xD0 && marker <= 0xD8)) continue;
      if (end_ - at_ < 2) throw End::kDamaged;
      const std::ptrdiff_t length = at_[0] << 8 | at_[1];
      if (length < 2 || end_ - at_ < length) throw End::kDamaged;
      const std::span<const Byte> body(at_ + 2, static_cast<std::size_t>(length - 2));
      at_ += length;
      if (marker == 0xC4) {
        tables(body);
      } else if (marker >= 0xC0 && marker <= 0xC2) {
        frame(body, marker == 0xC2);
      } else if (marker >= 0xC3 && marker <= 0xCF) {
        throw End::kUnknown;  // lossless, hierarchical or arithmetic
      } else if (marker == 0xDD && body.size() >= 2) {
        restart_ = static_cast<std::uint32_t>(body[0] << 8 | body[1]);
      } else if (marker == 0xDA) {
        scan(read_scan(body));
      }
    }
  }

  void tables(std::span<const Byte> body) {
    while (body.size() >= 17) {
      std::size_t symbols = 0;
      for (int i = 1; i <= 16; ++i) symbols += body[static_cast<std::size_t>(i)];
      if (symbols > 256 || body.size() < 17 + symbols || (body[0] & 0xF) > 3 || body[0] > 0x1F)
        throw End::kDamaged;
      std::array<Byte, 256> padded{};
      std::copy_n(body.begin() + 17, symbols, padded.begin());
      (body[0] >> 4 ? ac_ : dc_)[body[0] & 0xF].read(body.data() + 1, padded.data());
      body = body.subspan(17 + symbols);
    }
  }

  void frame(std::span<const Byte> body, bool progressive) {
    if (total_) throw End::kDamaged;  // a second one
    if (body.size() < 6 || body[0] != 8) throw End::kUnknown;
    const std::uint32_t height = static_cast<std::uint32_t>(body[1] << 8 | body[2]);
    const std::uint32_t width = static_cast<std::uint32_t>(body[3] << 8 | body[4]);
    const std::size_t count = body[5];
    if (!width || !height || !count || count > 4 || body.size() < 6 + 3 * count) throw End::kUnknown;
    progressive_ = progressive;
    components_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      const Byte* given = body.data() + 6 + 3 * i;
      Component& each = components_[i];
      each.id = given[0];
      each.across = given[1] >> 4;
      each.down = given[1] & 0xF;
      if (each.across < 1 || each.across > 4 || each.down < 1 || each.down > 4) throw End::kUnknown;
      across_ = std::max(across_, each.across);
      down_ = std::max(down_, each.down);
    }
    const auto over = [](std::uint64_t a, std::uint64_t b) {
      return static_cast<std::uint32_t>((a + b - 1) / b);
    };
    wide_ = over(width, 8U * static_cast<unsigned>(across_));
    high_ = over(height, 8U * static_cast<unsigned>(down_));
    std::uint64_t blocks = 0;
    for (Component& each : components_) {
      const auto across = static_cast<unsigned>(each.across), down = static_cast<unsigned>(each.down);
      each.width = over(over(std::uint64_t{width} * across, static_cast<unsigned>(across_)), 8);
      each.height = over(over(std::uint64_t{height} * down, static_cast<unsigned>(down_)), 8);
      each.stride = wide_ * across;
      each.offset = blocks;
      each.sent.fill(-1);
      blocks += std::uint64_t{each.stride} * high_ * down;
      total_ += std::uint64_t{each.width} * each.height;
    }
    if (!progressive_) return;
    if (blocks > kMostBlocks) throw End::kUnknown;
    filled_.assign(blocks, 0);
  }

  Scan read_scan(std::span<const Byte> body) {
    if (!total_) throw End::kDamaged;
    Scan scan;
    scan.components = body.empty() ? 0 : body[0];
    if (scan.components < 1 || scan.components > 4 ||
        body.size() < 4U + 2U * static_cast<unsigned>(scan.components))
      throw End::kDamaged;
    const auto count = static_cast<std::size_t>(scan.components);
    for (std::size_t i = 0; i < count; ++i) {
      const Byte* given = body.data() + 1 + 2 * i;
      const auto found = std::find_if(components_.begin(), components_.end(),
                                      [&](const Component& each) { return each.id == given[0]; });
      if (found == components_.end() || given[1] >> 4 > 3 || (given[1] & 0xF) > 3) throw End::kDamaged;
      scan.of[i] = static_cast<int>(found - components_.begin());
      scan.dc[i] = given[1] >> 4;
      scan.ac[i] = given[1] & 0xF;
    }
    if (progressive_) {
      const Byte* given = body.data() + 1 + 2 * count;
      scan.first = given[0];
      scan.last = given[1];
      scan.high = given[2] >> 4;
      scan.low = given[2] & 0xF;
      const bool is_dc = scan.first == 0;
      if (scan.last > 63 || scan.first > scan.last || (is_dc && scan.last > 0) || (!is_dc && count > 1))
        throw End::kDamaged;
    }
    require_tables(scan);
    return scan;
  }

  void require_tables(const Scan& scan) const {
    for (int i = 0; i < scan.components; ++i) {
      const bool dc = scan.first == 0 && scan.high == 0, ac = !progressive_ || scan.first > 0;
      const auto n = static_cast<std::size_t>(i);
      // a film's frame may leave out its tables, which libjpeg refuses
      if ((dc && !dc_[scan.dc[n]].is_there()) || (ac && !ac_[scan.ac[n]].is_there())) throw End::kUnknown;
    }
  }

  /// Walks through one scan, interval by interval (T.81, section E.2.3); a damaged one costs only itself.
  void scan(const Scan& scan) {
    const bool alone = scan.components == 1;
    const Component& one = components_[static_cast<std::size_t>(scan.of[0])];
    const std::uint64_t units = alone ? std::uint64_t{one.width} * one.height : std::uint64_t{wide_} * high_;
    const std::uint64_t step = restart_ ? restart_ : units;
    int number = 0;
    for (std::uint64_t unit = 0; unit < units; unit += step, ++number) {
      const Byte* before = at_;
      Bits bits(at_, end_);
      run_ = 0;
      const std::uint64_t until = std::min(units, unit + step);
      const bool sound = interval(scan, bits, unit, until, alone);
      at_ = marker(bits.at());
      if (!sound || is_much(bits, at_)) damaged_ = true;
      if (until == units) break;
      if (!resume(number, unit, step)) break;
      if (at_ == before) break;
    }
    for (int i = 0; i < scan.components; ++i) {
      Component& each = components_[static_cast<std::size_t>(scan.of[static_cast<std::size_t>(i)])];
      std::fill(each.sent.begin() + scan.first, each.sent.begin() + scan.last + 1, scan.low);
    }
  }

  /// Goes on behind the mark of the next interval; false where none comes. What was left out was not met.
  bool resume(int& number, std::uint64_t& unit, std::uint64_t step) {
    while (end_ - at_ >= 2 && at_[1] >= 0xD0 && at_[1] <= 0xD7) {
      const int ahead = (at_[1] - 0xD0 - number) & 7;
      at_ += 2;
      if (ahead <= 2) {  // as libjpeg guesses, and else that the mark was made up
        if (ahead) damaged_ = true;
        number += ahead;
        unit += step * static_cast<unsigned>(ahead);
        return true;
      }
      damaged_ = true;
      at_ = marker(at_);
    }
    damaged_ = true;
    return false;
  }

  /// Whether all of the units are there.
  bool interval(const Scan& scan, Bits& bits, std::uint64_t unit, std::uint64_t until, bool alone) {
    const bool counts = scan.first == 0 && scan.high == 0;
    if (alone) {
      const Component& one = components_[static_cast<std::size_t>(scan.of[0])];
      for (; unit < until; ++unit) {
        if (const std::uint64_t skipped = scan.high ? 0 : std::min<std::uint64_t>(run_, until - unit)) {
          run_ -= static_cast<std::uint32_t>(skipped);
          unit += skipped - 1;
          continue;
        }
        const std::size_t at = one.offset + unit / one.width * one.stride + unit % one.width;
        if (!block(scan, 0, bits, at)) return false;
        met_ += counts;
      }
      return true;
    }
    for (; unit < until; ++unit) {
      const std::uint64_t row = unit / wide_, column = unit % wide_;
      for (int i = 0; i < scan.components; ++i) {
        const Component& one = components_[static_cast<std::size_t>(scan.of[static_cast<std::size_t>(i)])];
        const auto across = static_cast<unsigned>(one.across), down = static_cast<unsigned>(one.down);
        for (unsigned y = 0; y < down; ++y)
          for (unsigned x = 0; x < across; ++x) {
            if (!block(scan, i, bits, 0)) return false;
            met_ += counts && row * down + y < one.height && column * across + x < one.width;
          }
      }
    }
    return true;
  }

  bool block(const Scan& scan, int i, Bits& bits, std::size_t at) {
    const auto n = static_cast<std::size_t>(i);
    if (!progressive_) return sequential(dc_[scan.dc[n]], ac_[scan.ac[n]], bits) && !bits.is_over();
    if (scan.first == 0) {
      bits.fill();
      if (scan.high) {
        bits.skip(1);
        return !bits.is_over();
      }
      return direct(dc_[scan.dc[n]], bits) && !bits.is_over();
    }
    if (scan.high == 0) return first(scan, ac_[scan.ac[n]], bits, filled_[at]) && !bits.is_over();
    return refined(scan, ac_[scan.ac[n]], bits, filled_[at]) && !bits.is_over();
  }

  static bool direct(const Huffman& table, Bits& bits) {
    const auto code = table.at(bits.head());
    bits.skip(code.length);
    if (!code.length || code.symbol > 15) return false;
    bits.skip(code.symbol);
    return true;
  }

  static bool sequential(const Huffman& dc, Huffman& ac, Bits& kept) {
    Bits bits = kept;  // in registers
    bits.fill();
    if (!direct(dc, bits)) return false;
    const Huffman::Several* several = ac.several();
    int k = 1;
    while (k < 64) {
      bits.fill();
      const auto all = several[bits.head() >> (16 - kSeveral)];
      if (all.bits && k + all.before < 64) [[likely]] {
        bits.skip(all.bits);
        k += all.step;
        continue;
      }
      const auto code = ac.at(bits.head());
      if (!code.length) return false;
      bits.skip(code.bits);
      k += code.step;
    }
    kept = bits;
    return k == 64 || k >= Huffman::kRest;
  }

  /// Of a progressive scan, the first bits of coefficients (T.81, section G.1.2.2).
  bool first(const Scan& scan, const Huffman& ac, Bits& kept, std::uint64_t& filled) {
    Bits bits = kept;
    const bool sound = first_of(scan, ac, bits, filled);
    kept = bits;
    return sound;
  }

  [[gnu::always_inline]] bool first_of(const Scan& scan, const Huffman& ac, Bits& bits,
                                       std::uint64_t& filled) {
    int k = scan.first;
    while (k <= scan.last) {
      bits.fill();
      const auto code = ac.at(bits.head());
      if (!code.length) return false;
      const int zeros = code.symbol >> 4, size = code.symbol & 0xF;
      bits.skip(code.length);
      if (size) {
        k += zeros;
        if (k > scan.last) return false;
        bits.skip(size);
        filled |= std::uint64_t{1} << k++;
      } else if (zeros == 15) {
        k += 16;
      } else {
        run_ = (1U << zeros) + (zeros ? bits.take(zeros) : 0) - 1;
        return true;
      }
    }
    return k == scan.last + 1;
  }

  /// Of a progressive scan, one more bit of coefficients (T.81, section G.1.2.3).
  bool refined(const Scan& scan, const Huffman& ac, Bits& kept, std::uint64_t& filled) {
    Bits bits = kept;
    const bool sound = refined_of(scan, ac, bits, filled);
    kept = bits;
    return sound;
  }

  [[gnu::always_inline]] bool refined_of(const Scan& scan, const Huffman& ac, Bits& bits,
                                         std::uint64_t& filled) {
    int k = scan.first;
    while (!run_ && k <= scan.last) {
      bits.fill();
      const auto code = ac.at(bits.head());
      if (!code.length) return false;
      int zeros = code.symbol >> 4;
      const int size = code.symbol & 0xF;
      bits.skip(code.length);
      if (size > 1) return false;
      if (size) {
        bits.skip(1);
      } else if (zeros < 15) {
        run_ = (1U << zeros) + (zeros ? bits.take(zeros) : 0);
        break;
      }
      for (; k <= scan.last; ++k) {
        if (filled >> k & 1) {
          bits.fill();
          bits.skip(1);
        } else if (--zeros < 0) {
          break;
        }
      }
      if (size && k > scan.last) return false;
      if (size) filled |= std::uint64_t{1} << k;
      ++k;
    }
    if (run_) {
      const std::uint64_t rest =
          k > scan.last ? 0 : (~std::uint64_t{0} >> (63 - scan.last)) & (~std::uint64_t{0} << k);
      for (int more = std::popcount(filled & rest); more > 0; more -= 16) {
        bits.fill();
        bits.skip(std::min(more, 16));
      }
      --run_;
    }
    return true;
  }

  /// The next marker from a place on, or the end.
  const Byte* marker(const Byte* at) const {
    for (; end_ - at >= 2; ++at) {
      at = static_cast<const Byte*>(std::memchr(at, 0xFF, static_cast<std::size_t>(end_ - at)));
      if (!at || end_ - at < 2) return end_;
      if (at[1] != 0 && at[1] != 0xFF) return at;
    }
    return end_;
  }

  /// Whether much is left of a scan, and not one byte again and again.
  static bool is_much(const Bits& bits, const Byte* marker) {
    if (bits.left(marker) <= kPadding) return false;
    return std::any_of(bits.at(), marker, [&](Byte byte) { return byte != *bits.at(); });
  }

  bool is_all_sent() const {
    return std::all_of(components_.begin(), components_.end(), [](const Component& each) {
      return std::all_of(each.sent.begin(), each.sent.end(), [](int bits) { return bits == 0; });
    });
  }

  const Byte* at_;
  const Byte* end_;
  std::array<Huffman, 4> dc_, ac_;
  std::vector<Component> components_;
  std::vector<std::uint64_t> filled_;  // which coefficients of each block are not 0, of a progressive one
  std::uint64_t total_ = 0, met_ = 0;  // blocks
  std::uint32_t wide_ = 0, high_ = 0;  // MCUs
  std::uint32_t restart_ = 0;          // MCUs of an interval; 0: all
  std::uint32_t run_ = 0;              // blocks that end at once
  int across_ = 1, down_ = 1;
  bool progressive_ = false, damaged_ = false;
};

}  // namespace

JpegWalk walk_jpeg(std::span<const std::uint8_t> data) {
  return Walk(data).run();
}

}  // namespace lookalike
