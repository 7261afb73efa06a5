#include "upgrade/fingerprint.h"

#include <algorithm>
#include <cstring>

#include "base/crypto.h"

namespace basalt::upgrade {
namespace {

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t hash(std::string_view bytes, std::uint64_t seed) {
  constexpr std::uint64_t p0 = 0x9e3779b97f4a7c15, p1 = 0xbf58476d1ce4e5b9, p2 = 0x94d049bb133111eb;
  std::uint64_t h = seed ^ p0;
  std::size_t i = 0;
  auto word = [&](std::size_t at, std::size_t count) {
    std::uint64_t w = 0;
    std::memcpy(&w, bytes.data() + at, count);
    return w;
  };
  for (; i + 16 <= bytes.size(); i += 16) h = mix(word(i, 8) ^ p1, word(i + 8, 8) ^ h ^ p2);
  std::size_t left = bytes.size() - i;
  std::uint64_t a = left >= 8 ? word(i, 8) : left ? word(i, left) : 0, b = left > 8 ? word(i + 8, left - 8) : 0;
  h = mix(a ^ p1, b ^ h ^ p2);
  return mix(h ^ p0, bytes.size() ^ p1 ^ seed);
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string out;
  for (auto& n : names) out += (out.empty() ? "" : ", ") + appdb::quoted(n);
  return out;
}

void put(std::string& out, char tag, const void* bytes, std::size_t count) {
  out += tag;
  out.append(static_cast<const char*>(bytes), count);
}

void put_text(std::string& out, char tag, std::string_view text) {
  std::uint64_t length = text.size();
  put(out, tag, &length, sizeof length);
  out += text;
}

}  // namespace

std::string Fingerprint::text() const {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%lld:%016llx%016llx", static_cast<long long>(rows), static_cast<unsigned long long>(first), static_cast<unsigned long long>(second));
  return buffer;
}

RowHasher::RowHasher(const migrations::Table& table) : names_(table.column_names()) {
  std::sort(names_.begin(), names_.end());
  for (auto& name : names_) {
    auto* c = table.column(name);
    types_.push_back(c ? c->type : name == "id" ? migrations::Type::Integer : migrations::Type::Text);
  }
}

void RowHasher::add(const std::vector<appdb::Value>& values) {
  buffer_.clear();
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto& value = values[i];
    auto type = types_[i];
    if (std::holds_alternative<std::nullptr_t>(value)) {
      buffer_ += 'n';
    } else if (auto* b = std::get_if<bool>(&value)) {
      std::int64_t n = *b ? 1 : 0;
      put(buffer_, 'i', &n, sizeof n);
    } else if (auto* n = std::get_if<std::int64_t>(&value)) {
      if (type == migrations::Type::Real) {
        double d = static_cast<double>(*n);
        put(buffer_, 'd', &d, sizeof d);
      } else {
        put(buffer_, 'i', n, sizeof *n);
      }
    } else if (auto* d = std::get_if<double>(&value)) {
      double plain = *d == 0 ? 0.0 : *d;  // PostgreSQL and SQLite differ in keeping -0
      put(buffer_, 'd', &plain, sizeof plain);
    } else if (auto* s = std::get_if<std::string>(&value)) {
      auto at = type == migrations::Type::Time ? parse_timestamp(*s) : std::nullopt;
      put_text(buffer_, 's', at ? to_text(*at) : *s);
    } else if (auto* blob = std::get_if<appdb::Blob>(&value)) {
      put_text(buffer_, 'x', blob->bytes);
    }
  }
  ++sum_.rows;
  sum_.first += hash(buffer_, 0x243f6a8885a308d3);
  sum_.second += hash(buffer_, 0x13198a2e03707344);
}

Fingerprint fingerprint(appdb::Connection& c, const migrations::Table& table) {
  RowHasher hasher(table);
  c.each("SELECT " + quoted_list(hasher.names()) + " FROM " + appdb::quoted(table.name), {}, [&](const appdb::Row& row) { hasher.add(row.values()); });
  return hasher.result();
}

Fingerprint row_fingerprint(appdb::Connection& c, const migrations::Table& table) {
  migrations::Table only;
  only.name = table.name;
  only.has_id = table.has_id;
  return fingerprint(c, only);
}

}  // namespace basalt::upgrade
