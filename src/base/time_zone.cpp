#include "base/time_zone.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>

namespace basalt {
namespace {

std::int64_t big_endian(const std::string& data, std::size_t at, int bytes) {
  std::uint64_t value = data[at] < 0 && bytes == 8 ? ~std::uint64_t{0} : 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(data[at + static_cast<std::size_t>(i)]);
  return bytes == 4 ? static_cast<std::int32_t>(value) : static_cast<std::int64_t>(value);
}

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '/' || name.find("..") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' || c == '-' || c == '+';
  });
}

constexpr std::int64_t twenty_eight_years = 10227LL * 86400;   // after which days of the week and leap years repeat
constexpr std::int64_t year_2037 = 2114380800;

}  // namespace

const TimeZone* TimeZone::find(std::string_view name) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<TimeZone>, std::less<>> zones;  // GUARDED_BY(mutex)
  if (!is_name(name)) return nullptr;
  std::lock_guard lock(mutex);
  if (auto found = zones.find(name); found != zones.end()) return found->second.get();
  auto zone = std::make_unique<TimeZone>();
  bool known = name == "UTC" || name == "Z" || name == "GMT";
  if (!known) {
    // RFC 8536: a block with 32-bit times, then the one with 64-bit times that is read here.
    std::ifstream file("/usr/share/zoneinfo/" + std::string(name), std::ios::binary);
    std::string data{std::istreambuf_iterator<char>(file), {}};
    auto count = [&](std::size_t block, int index) { return static_cast<std::size_t>(big_endian(data, block + 20 + 4 * static_cast<std::size_t>(index), 4)); };
    auto size_of = [&](std::size_t block, std::size_t time) {
      // isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt
      return 44 + count(block, 3) * (time + 1) + count(block, 4) * 6 + count(block, 5) + count(block, 2) * (time + 4) + count(block, 1) + count(block, 0);
    };
    if (data.size() > 44 && data.compare(0, 4, "TZif") == 0 && data[4] >= '2') {
      auto block = size_of(0, 4);
      if (block + 44 <= data.size() && data.compare(block, 4, "TZif") == 0 && block + size_of(block, 8) <= data.size()) {
        auto times = count(block, 3), types = count(block, 4);
        auto at = block + 44, indices = at + 8 * times, infos = indices + times;
        auto offset = [&](std::size_t type) { return type < types ? static_cast<int>(big_endian(data, infos + 6 * type, 4)) : 0; };
        zone->first_offset_ = offset(0);
        for (std::size_t i = 0; i < times; ++i)
          zone->changes_.push_back({big_endian(data, at + 8 * i, 8), offset(static_cast<unsigned char>(data[indices + i]))});
        known = true;
      }
    }
  }
  if (!known) return nullptr;
  return zones.emplace(std::string(name), std::move(zone)).first->second.get();
}

int TimeZone::offset_at(std::int64_t utc) const {
  if (changes_.empty()) return first_offset_;
  // The files say what happens until 2037; later years follow the same rules.
  if (utc > changes_.back().at && changes_.back().at >= year_2037)
    utc -= ((utc - changes_.back().at) / twenty_eight_years + 1) * twenty_eight_years;
  auto after = std::upper_bound(changes_.begin(), changes_.end(), utc, [](std::int64_t t, const Change& change) { return t < change.at; });
  return after == changes_.begin() ? first_offset_ : std::prev(after)->offset;
}

int TimeZone::offset_of_local(std::int64_t local) const {
  // No zone is further than a day from UTC, and none changes twice within that day.
  int before = offset_at(local - 86400), after = offset_at(local + 86400);
  if (before == after) return before;
  return offset_at(local - before) == before ? before : offset_at(local - after) == after ? after : before;
}

}  // namespace basalt
