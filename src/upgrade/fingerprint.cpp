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

// "2026-11-23T02:20:01.500000Z": what to_text() makes of it is the same again.
bool is_plain_time(std::string_view t) {
  static constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd.ddddddZ";
  if (t.size() != form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i)
    if (form[i] == 'd' ? t[i] < '0' || t[i] > '9' : t[i] != form[i]) return false;
  return (t[11] < '2' || t[12] < '4') && t[17] < '6';
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

appdb::RawType raw_type(migrations::Type type) {
  using migrations::Type;
  using appdb::RawType;
  switch (type) {
    case Type::Integer: return RawType::Integer;
    case Type::Real: return RawType::Real;
    case Type::Boolean: return RawType::Boolean;
    case Type::Text: case Type::Json: return RawType::Text;
    case Type::Time: return RawType::Time;
    case Type::Blob: return RawType::Blob;
  }
  return RawType::Text;
}

RowHasher::RowHasher(const migrations::Table& table) : names_(table.column_names()) {
  std::sort(names_.begin(), names_.end());
  for (auto& name : names_) {
    auto* c = table.column(name);
    columns_.push_back({name, c ? raw_type(c->type) : name == "id" ? appdb::RawType::Integer : appdb::RawType::Text});
  }
}

void RowHasher::add(const std::vector<appdb::Value>& values) {
  std::vector<appdb::RawValue> raw(values.size());
  using Kind = appdb::RawValue::Kind;
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto& value = values[i];
    if (auto* b = std::get_if<bool>(&value)) raw[i] = {Kind::Integer, *b ? 1 : 0, 0, {}};
    else if (auto* n = std::get_if<std::int64_t>(&value)) raw[i] = {Kind::Integer, *n, 0, {}};
    else if (auto* d = std::get_if<double>(&value)) raw[i] = {Kind::Real, 0, *d, {}};
    else if (auto* s = std::get_if<std::string>(&value)) raw[i] = {Kind::Text, 0, 0, *s};
    else if (auto* x = std::get_if<appdb::Blob>(&value)) raw[i] = {Kind::Blob, 0, 0, x->bytes};
  }
  add(raw);
}

void RowHasher::add(appdb::RawRow values) {
  using Kind = appdb::RawValue::Kind;
  buffer_.clear();
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto& value = values[i];
    auto type = columns_[i].type;
    switch (value.kind) {
      case Kind::Null: buffer_ += 'n'; break;
      case Kind::Integer:
        if (type == appdb::RawType::Real) {
          double d = static_cast<double>(value.integer);
          put(buffer_, 'd', &d, sizeof d);
        } else {
          put(buffer_, 'i', &value.integer, sizeof value.integer);
        }
        break;
      case Kind::Real: {
        double plain = value.real == 0 ? 0.0 : value.real;  // PostgreSQL and SQLite differ in keeping -0
        put(buffer_, 'd', &plain, sizeof plain);
        break;
      }
      case Kind::Text:
        if (type == appdb::RawType::Time && !is_plain_time(value.bytes)) {
          auto at = parse_timestamp(value.bytes);
          put_text(buffer_, 's', at ? to_text(*at) : std::string(value.bytes));
        } else {
          put_text(buffer_, 's', value.bytes);
        }
        break;
      case Kind::Blob: put_text(buffer_, 'x', value.bytes); break;
    }
  }
  ++sum_.rows;
  sum_.first += hash(buffer_, 0x243f6a8885a308d3);
  sum_.second += hash(buffer_, 0x13198a2e03707344);
}

Fingerprint fingerprint(appdb::Connection& c, const migrations::Table& table, const std::string& condition) {
  RowHasher hasher(table);
  appdb::each_raw(c, table.name, hasher.columns(), [&](appdb::RawRow row) { hasher.add(row); }, condition);
  return hasher.result();
}

Fingerprint row_fingerprint(appdb::Connection& c, const migrations::Table& table) {
  migrations::Table only;
  only.name = table.name;
  only.has_id = table.has_id;
  return fingerprint(c, only);
}

}  // namespace basalt::upgrade
