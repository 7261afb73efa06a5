#include "base/random.h"

#include <openssl/rand.h>

#include <atomic>
#include <chrono>

#include "base/failure.h"

namespace basalt {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

std::string to_hex(const std::string& bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (unsigned char c : bytes) { out += hex_digits[c >> 4]; out += hex_digits[c & 15]; }
  return out;
}

std::string with_dashes(const std::string& hex) {
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' + hex.substr(16, 4) + '-' + hex.substr(20);
}

void mark(std::string& bytes, unsigned version) {
  bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0f) | (version << 4));
  bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3f) | 0x80);
}

}  // namespace

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1)
    throw Failure(FailureKind::Bug, "The system's random generator failed.");
  return bytes;
}

std::string random_hex(std::size_t bytes) { return to_hex(random_bytes(bytes)); }

std::string uuid4() {
  auto bytes = random_bytes(16);
  mark(bytes, 4);
  return with_dashes(to_hex(bytes));
}

std::string uuid7() {
  // Milliseconds in 48 bits, then a counter within the millisecond in the 12 bits of rand_a (RFC 9562, 6.2 method 1),
  // so that rows inserted together keep their order.
  static std::atomic<std::uint64_t> last{0};
  auto now = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
  std::uint64_t previous = last.load(), next;
  do { next = std::max(now << 12, previous + 1); } while (!last.compare_exchange_weak(previous, next));
  auto bytes = random_bytes(16);
  std::uint64_t millis = next >> 12;
  for (int i = 0; i < 6; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<char>(millis >> (8 * (5 - i)));
  bytes[6] = static_cast<char>((next >> 8) & 0x0f);
  bytes[7] = static_cast<char>(next & 0xff);
  mark(bytes, 7);
  return with_dashes(to_hex(bytes));
}

std::string entity_id() {
  static constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  std::string out;
  for (unsigned char c : random_bytes(21)) out += alphabet[c & 63];
  return out;
}

}  // namespace basalt
