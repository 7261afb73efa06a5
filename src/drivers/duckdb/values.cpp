#include "drivers/duckdb/values.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/json.h"

namespace basalt::drivers::duckdb {
namespace {

using rows::Kind;
__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UnsignedWide;

bool present(const std::uint64_t* validity, std::uint64_t row) { return !validity || (validity[row / 64] >> (row % 64) & 1); }

std::string_view text_at(const void* data, std::uint64_t row) {
  auto& text = static_cast<const duckdb_string_t*>(data)[row];
  if (text.value.inlined.length <= 12) return {text.value.inlined.inlined, text.value.inlined.length};
  return {text.value.pointer.ptr, text.value.pointer.length};
}

Wide wide(duckdb_hugeint v) { return static_cast<Wide>(static_cast<UnsignedWide>(static_cast<std::uint64_t>(v.upper)) << 64 | v.lower); }

void write_wide(std::string& out, UnsignedWide magnitude, bool negative, unsigned scale) {
  char buffer[48];
  std::size_t at = sizeof buffer;
  unsigned digits = 0;
  do {
    buffer[--at] = static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
    if (++digits == scale && scale) buffer[--at] = '.';
  } while (magnitude != 0 || digits < scale + (scale ? 1 : 0));
  if (negative) buffer[--at] = '-';
  out.append(buffer + at, sizeof buffer - at);
}
void write_wide(std::string& out, Wide v, unsigned scale) {
  write_wide(out, v < 0 ? -static_cast<UnsignedWide>(v) : static_cast<UnsignedWide>(v), v < 0, scale);
}

Wide stored_integer(::duckdb_type stored, const void* data, std::uint64_t row) {
  switch (stored) {
    case DUCKDB_TYPE_SMALLINT: return static_cast<const std::int16_t*>(data)[row];
    case DUCKDB_TYPE_INTEGER: return static_cast<const std::int32_t*>(data)[row];
    case DUCKDB_TYPE_BIGINT: return static_cast<const std::int64_t*>(data)[row];
    default: return wide(static_cast<const duckdb_hugeint*>(data)[row]);
  }
}

void two(std::string& out, int number) {
  out += static_cast<char>('0' + number / 10 % 10);
  out += static_cast<char>('0' + number % 10);
}

void write_date(std::string& out, std::int64_t days) {
  // Days far from now are beyond std::chrono's years; the algorithm is the usual civil-from-days.
  std::int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
  auto doe = static_cast<unsigned>(z - era * 146097);
  unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  std::int64_t year = static_cast<std::int64_t>(yoe) + era * 400;
  unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  unsigned day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
  if (month <= 2) ++year;
  if (year < 0) out += '-';
  auto digits = std::to_string(year < 0 ? -year : year);
  if (digits.size() < 4) out.append(4 - digits.size(), '0');
  out += digits;
  out += '-';
  two(out, static_cast<int>(month));
  out += '-';
  two(out, static_cast<int>(day));
}

// Nanoseconds of the day as "08:30:00[.123]"; trailing zeros of the fraction in groups of three are left out.
void write_time(std::string& out, std::int64_t nanoseconds) {
  auto seconds = nanoseconds / 1'000'000'000;
  two(out, static_cast<int>(seconds / 3600));
  out += ':';
  two(out, static_cast<int>(seconds / 60 % 60));
  out += ':';
  two(out, static_cast<int>(seconds % 60));
  if (auto fraction = nanoseconds % 1'000'000'000) {
    char digits[16];
    std::snprintf(digits, sizeof digits, ".%09d", static_cast<int>(fraction));
    std::string_view text(digits, 10);
    while (text.ends_with("000")) text.remove_suffix(3);
    out += text;
  }
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

void write_offset(std::string& out, int seconds) {
  if (seconds == 0) { out += 'Z'; return; }
  out += seconds < 0 ? '-' : '+';
  seconds = std::abs(seconds);
  two(out, seconds / 3600);
  out += ':';
  two(out, seconds / 60 % 60);
  if (seconds % 60) { out += ':'; two(out, seconds % 60); }
}

// `ticks` since 1970, `per_second` of them; with a zone as its wall-clock time and offset.
void write_timestamp(std::string& out, std::int64_t ticks, std::int64_t per_second, bool zoned, const TimeZone* zone) {
  if (ticks == INT64_MAX) { out += "infinity"; return; }
  if (ticks == INT64_MIN || ticks == -INT64_MAX) { out += "-infinity"; return; }
  auto seconds = floor_divide(ticks, per_second);
  auto fraction = (ticks - seconds * per_second) * (1'000'000'000 / per_second);
  int offset = zoned && zone ? zone->offset_at(seconds) : 0;
  seconds += offset;
  auto days = floor_divide(seconds, 86400);
  write_date(out, days);
  out += 'T';
  write_time(out, (seconds - days * 86400) * 1'000'000'000 + fraction);
  if (zoned) write_offset(out, offset);
}

void write_interval(std::string& out, const duckdb_interval& v) {
  auto part = [&](std::int64_t number, const char* unit) {
    if (number == 0) return;
    if (!out.empty() && out.back() != ' ') out += ' ';
    out += std::to_string(number) + ' ' + unit + (number == 1 ? "" : "s");
  };
  auto before = out.size();
  part(v.months / 12, "year");
  part(v.months % 12, "month");
  part(v.days, "day");
  if (v.micros != 0 || out.size() == before) {
    if (out.size() != before) out += ' ';
    if (v.micros < 0) out += '-';
    write_time(out, std::abs(v.micros) * 1000);
  }
}

void write_uuid(std::string& out, duckdb_hugeint v) {
  auto upper = static_cast<std::uint64_t>(v.upper) ^ (std::uint64_t{1} << 63);  // kept with its top bit flipped, to sort
  char text[37];
  std::snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(upper >> 32), static_cast<unsigned>(upper >> 16 & 0xFFFF),
                static_cast<unsigned>(upper & 0xFFFF), static_cast<unsigned>(v.lower >> 48), static_cast<unsigned long long>(v.lower & 0xFFFFFFFFFFFF));
  out += text;
}

void write_hex(std::string& out, std::string_view bytes) {
  for (unsigned char c : bytes) {
    out += "0123456789abcdef"[c >> 4];
    out += "0123456789abcdef"[c & 15];
  }
}

// A BIT value: the first byte counts the unused bits of the second, the highest bits first.
void write_bits(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  auto unused = static_cast<unsigned char>(bytes[0]);
  for (std::size_t bit = unused; bit < 8 * (bytes.size() - 1); ++bit)
    out += static_cast<unsigned char>(bytes[1 + bit / 8]) >> (7 - bit % 8) & 1 ? '1' : '0';
}

enum class Form { Plain, Json };

// One value as text; as JSON inside lists and structs.
void write_value(const Library& library, std::string& out, const Type& type, duckdb_vector source, std::uint64_t row, Form form, const TimeZone* zone) {
  if (!present(library.vector_get_validity(source), row)) { out += "null"; return; }
  const void* data = library.vector_get_data(source);
  auto as = [&]<class T>(T) { return static_cast<const T*>(data)[row]; };
  auto in_quotes = [&](auto&& write) {
    if (form == Form::Json) out += '"';
    write();
    if (form == Form::Json) out += '"';
  };
  auto string = [&](std::string_view text) {
    if (form == Form::Json) json::write_string(out, text);
    else out += text;
  };
  auto each = [&](std::uint64_t from, std::uint64_t count, duckdb_vector child) {
    out += '[';
    for (std::uint64_t i = 0; i < count; ++i) {
      if (i) out += ',';
      write_value(library, out, type.children[0], child, from + i, Form::Json, zone);
    }
    out += ']';
  };
  switch (type.id) {
    case DUCKDB_TYPE_BOOLEAN: out += as(bool{}) ? "true" : "false"; break;
    case DUCKDB_TYPE_TINYINT: json::write_number(out, std::int64_t{as(std::int8_t{})}); break;
    case DUCKDB_TYPE_SMALLINT: json::write_number(out, std::int64_t{as(std::int16_t{})}); break;
    case DUCKDB_TYPE_INTEGER: json::write_number(out, std::int64_t{as(std::int32_t{})}); break;
    case DUCKDB_TYPE_BIGINT: json::write_number(out, as(std::int64_t{})); break;
    case DUCKDB_TYPE_UTINYINT: json::write_number(out, std::int64_t{as(std::uint8_t{})}); break;
    case DUCKDB_TYPE_USMALLINT: json::write_number(out, std::int64_t{as(std::uint16_t{})}); break;
    case DUCKDB_TYPE_UINTEGER: json::write_number(out, std::int64_t{as(std::uint32_t{})}); break;
    case DUCKDB_TYPE_UBIGINT: out += std::to_string(as(std::uint64_t{})); break;
    case DUCKDB_TYPE_HUGEINT: write_wide(out, wide(as(duckdb_hugeint{})), 0); break;
    case DUCKDB_TYPE_UHUGEINT: {
      auto v = as(duckdb_uhugeint{});
      write_wide(out, static_cast<UnsignedWide>(v.upper) << 64 | v.lower, false, 0);
      break;
    }
    case DUCKDB_TYPE_FLOAT: {
      char buffer[32];  // the shortest text of the float itself: 0.1, not 0.10000000149
      auto v = as(float{});
      if (v - v != 0) { out += "null"; break; }
      out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr);
      break;
    }
    case DUCKDB_TYPE_DOUBLE: json::write_number(out, as(double{})); break;
    case DUCKDB_TYPE_DECIMAL: write_wide(out, stored_integer(type.stored, data, row), type.scale); break;
    case DUCKDB_TYPE_DATE: in_quotes([&] { write_date(out, as(duckdb_date{}).days); }); break;
    case DUCKDB_TYPE_TIME: in_quotes([&] { write_time(out, as(duckdb_time{}).micros * 1000); }); break;
    case DUCKDB_TYPE_TIME_NS: in_quotes([&] { write_time(out, as(std::int64_t{})); }); break;
    case DUCKDB_TYPE_TIME_TZ: {
      // 40 bits of microseconds, 24 of an offset counted down from the largest.
      auto bits = as(duckdb_time_tz{}).bits;
      in_quotes([&] {
        write_time(out, static_cast<std::int64_t>(bits >> 24) * 1000);
        write_offset(out, 16 * 3600 - 1 - static_cast<int>(bits & 0xFFFFFF));
      });
      break;
    }
    case DUCKDB_TYPE_TIMESTAMP: in_quotes([&] { write_timestamp(out, as(std::int64_t{}), 1'000'000, false, nullptr); }); break;
    case DUCKDB_TYPE_TIMESTAMP_S: in_quotes([&] { write_timestamp(out, as(std::int64_t{}), 1, false, nullptr); }); break;
    case DUCKDB_TYPE_TIMESTAMP_MS: in_quotes([&] { write_timestamp(out, as(std::int64_t{}), 1000, false, nullptr); }); break;
    case DUCKDB_TYPE_TIMESTAMP_NS: in_quotes([&] { write_timestamp(out, as(std::int64_t{}), 1'000'000'000, false, nullptr); }); break;
    case DUCKDB_TYPE_TIMESTAMP_TZ: in_quotes([&] { write_timestamp(out, as(std::int64_t{}), 1'000'000, true, zone); }); break;
    case DUCKDB_TYPE_INTERVAL: in_quotes([&] { std::string text; write_interval(text, as(duckdb_interval{})); out += text; }); break;
    case DUCKDB_TYPE_UUID: in_quotes([&] { write_uuid(out, as(duckdb_hugeint{})); }); break;
    case DUCKDB_TYPE_VARCHAR: string(text_at(data, row)); break;
    case DUCKDB_TYPE_BLOB: in_quotes([&] { write_hex(out, text_at(data, row)); }); break;
    case DUCKDB_TYPE_BIT: in_quotes([&] { write_bits(out, text_at(data, row)); }); break;
    case DUCKDB_TYPE_ENUM: {
      std::uint64_t index = type.stored == DUCKDB_TYPE_UTINYINT ? as(std::uint8_t{}) : type.stored == DUCKDB_TYPE_USMALLINT ? as(std::uint16_t{}) : as(std::uint32_t{});
      string(index < type.labels.size() ? std::string_view(type.labels[index]) : std::string_view());
      break;
    }
    case DUCKDB_TYPE_LIST: {
      auto entry = as(duckdb_list_entry{});
      each(entry.offset, entry.length, library.list_vector_get_child(source));
      break;
    }
    case DUCKDB_TYPE_ARRAY: each(row * type.length, type.length, library.array_vector_get_child(source)); break;
    case DUCKDB_TYPE_STRUCT:
      out += '{';
      for (std::size_t i = 0; i < type.children.size(); ++i) {
        if (i) out += ',';
        json::write_string(out, type.names[i]);
        out += ':';
        write_value(library, out, type.children[i], library.struct_vector_get_child(source, i), row, Form::Json, zone);
      }
      out += '}';
      break;
    case DUCKDB_TYPE_MAP: {
      // Stored as a list of structs of key and value; keys of JSON objects are texts.
      auto entry = as(duckdb_list_entry{});
      auto pairs = library.list_vector_get_child(source);
      auto keys = library.struct_vector_get_child(pairs, 0), values = library.struct_vector_get_child(pairs, 1);
      out += '{';
      for (std::uint64_t i = 0; i < entry.length; ++i) {
        if (i) out += ',';
        std::string key;
        write_value(library, key, type.children[0], keys, entry.offset + i, Form::Plain, zone);
        json::write_string(out, key);
        out += ':';
        write_value(library, out, type.children[1], values, entry.offset + i, Form::Json, zone);
      }
      out += '}';
      break;
    }
    default: out += form == Form::Json ? "null" : ""; break;
  }
}

template <class T>
void append_integers(rows::Vector& column, duckdb_vector source, const Library& library, std::uint64_t from, std::uint64_t to) {
  auto* data = static_cast<const T*>(library.vector_get_data(source));
  auto* validity = library.vector_get_validity(source);
  for (auto row = from; row < to; ++row) {
    if (present(validity, row)) column.append_integer(static_cast<std::int64_t>(data[row]));
    else column.append_null();
  }
}

}  // namespace

Type Type::of(const Library& library, duckdb_logical_type logical) {
  Type type;
  type.id = library.get_type_id(logical);
  auto child = [&](duckdb_logical_type inner) {
    type.children.push_back(of(library, inner));
    library.destroy_logical_type(&inner);
  };
  auto text = [&](char* owned) {
    std::string copy = owned ? owned : "";
    library.free(owned);
    return copy;
  };
  switch (type.id) {
    case DUCKDB_TYPE_DECIMAL:
      type.scale = library.decimal_scale(logical);
      type.stored = library.decimal_internal_type(logical);
      break;
    case DUCKDB_TYPE_ENUM:
      type.stored = library.enum_internal_type(logical);
      for (std::uint32_t i = 0; i < library.enum_dictionary_size(logical); ++i) type.labels.push_back(text(library.enum_dictionary_value(logical, i)));
      break;
    case DUCKDB_TYPE_LIST: child(library.list_type_child_type(logical)); break;
    case DUCKDB_TYPE_ARRAY:
      child(library.array_type_child_type(logical));
      type.length = library.array_type_array_size(logical);
      break;
    case DUCKDB_TYPE_MAP:
      child(library.map_type_key_type(logical));
      child(library.map_type_value_type(logical));
      break;
    case DUCKDB_TYPE_STRUCT:
      for (idx_t i = 0; i < library.struct_type_child_count(logical); ++i) {
        type.names.push_back(text(library.struct_type_child_name(logical, i)));
        child(library.struct_type_child_type(logical, i));
      }
      break;
    case DUCKDB_TYPE_VARCHAR: type.is_json = text(library.logical_type_get_alias(logical)) == "JSON"; break;
    default: break;
  }
  return type;
}

Kind Type::kind() const {
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN: return Kind::Boolean;
    case DUCKDB_TYPE_TINYINT: case DUCKDB_TYPE_SMALLINT: case DUCKDB_TYPE_INTEGER: case DUCKDB_TYPE_BIGINT: case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT: case DUCKDB_TYPE_UINTEGER: case DUCKDB_TYPE_UBIGINT: case DUCKDB_TYPE_HUGEINT: case DUCKDB_TYPE_UHUGEINT:
      return Kind::Integer;
    case DUCKDB_TYPE_FLOAT: return Kind::Decimal;  // as the shortest text of a float
    case DUCKDB_TYPE_DOUBLE: return Kind::Real;
    case DUCKDB_TYPE_DECIMAL: return Kind::Decimal;
    case DUCKDB_TYPE_DATE: return Kind::Date;
    case DUCKDB_TYPE_TIME: case DUCKDB_TYPE_TIME_NS: case DUCKDB_TYPE_TIME_TZ: return Kind::Time;
    case DUCKDB_TYPE_TIMESTAMP: case DUCKDB_TYPE_TIMESTAMP_S: case DUCKDB_TYPE_TIMESTAMP_MS: case DUCKDB_TYPE_TIMESTAMP_NS: return Kind::Timestamp;
    case DUCKDB_TYPE_TIMESTAMP_TZ: return Kind::TimestampTz;
    case DUCKDB_TYPE_BLOB: return Kind::Bytes;
    case DUCKDB_TYPE_LIST: case DUCKDB_TYPE_ARRAY: case DUCKDB_TYPE_STRUCT: case DUCKDB_TYPE_MAP: return Kind::Json;
    case DUCKDB_TYPE_VARCHAR: return is_json ? Kind::Json : Kind::Text;
    default: return Kind::Text;
  }
}

std::string Type::name() const {
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN: return "BOOLEAN";
    case DUCKDB_TYPE_TINYINT: return "TINYINT";
    case DUCKDB_TYPE_SMALLINT: return "SMALLINT";
    case DUCKDB_TYPE_INTEGER: return "INTEGER";
    case DUCKDB_TYPE_BIGINT: return "BIGINT";
    case DUCKDB_TYPE_UTINYINT: return "UTINYINT";
    case DUCKDB_TYPE_USMALLINT: return "USMALLINT";
    case DUCKDB_TYPE_UINTEGER: return "UINTEGER";
    case DUCKDB_TYPE_UBIGINT: return "UBIGINT";
    case DUCKDB_TYPE_HUGEINT: return "HUGEINT";
    case DUCKDB_TYPE_UHUGEINT: return "UHUGEINT";
    case DUCKDB_TYPE_FLOAT: return "FLOAT";
    case DUCKDB_TYPE_DOUBLE: return "DOUBLE";
    case DUCKDB_TYPE_DECIMAL: return "DECIMAL";
    case DUCKDB_TYPE_DATE: return "DATE";
    case DUCKDB_TYPE_TIME: case DUCKDB_TYPE_TIME_NS: return "TIME";
    case DUCKDB_TYPE_TIME_TZ: return "TIME WITH TIME ZONE";
    case DUCKDB_TYPE_TIMESTAMP: return "TIMESTAMP";
    case DUCKDB_TYPE_TIMESTAMP_S: return "TIMESTAMP_S";
    case DUCKDB_TYPE_TIMESTAMP_MS: return "TIMESTAMP_MS";
    case DUCKDB_TYPE_TIMESTAMP_NS: return "TIMESTAMP_NS";
    case DUCKDB_TYPE_TIMESTAMP_TZ: return "TIMESTAMP WITH TIME ZONE";
    case DUCKDB_TYPE_INTERVAL: return "INTERVAL";
    case DUCKDB_TYPE_VARCHAR: return is_json ? "JSON" : "VARCHAR";
    case DUCKDB_TYPE_BLOB: return "BLOB";
    case DUCKDB_TYPE_BIT: return "BIT";
    case DUCKDB_TYPE_UUID: return "UUID";
    case DUCKDB_TYPE_ENUM: return "ENUM";
    case DUCKDB_TYPE_LIST: return children[0].name() + "[]";
    case DUCKDB_TYPE_ARRAY: return children[0].name() + "[" + std::to_string(length) + "]";
    case DUCKDB_TYPE_STRUCT: return "STRUCT";
    case DUCKDB_TYPE_MAP: return "MAP";
    case DUCKDB_TYPE_SQLNULL: return "NULL";
    default: return "unknown";
  }
}

std::string Type::base_type() const { return base_type_of(name()); }

std::string base_type_of(std::string_view name) {
  if (name.ends_with("]")) return "type/Array";
  auto word = name.substr(0, name.find('('));
  struct Entry { std::string_view name, base_type; };
  static constexpr Entry entries[] = {
      {"BOOLEAN", "type/Boolean"}, {"TINYINT", "type/Integer"}, {"SMALLINT", "type/Integer"}, {"INTEGER", "type/Integer"},
      {"UTINYINT", "type/Integer"}, {"USMALLINT", "type/Integer"}, {"UINTEGER", "type/BigInteger"}, {"BIGINT", "type/BigInteger"},
      {"UBIGINT", "type/BigInteger"}, {"HUGEINT", "type/BigInteger"}, {"UHUGEINT", "type/BigInteger"}, {"FLOAT", "type/Float"},
      {"DOUBLE", "type/Float"}, {"DECIMAL", "type/Decimal"}, {"DATE", "type/Date"}, {"TIME", "type/Time"},
      {"TIME WITH TIME ZONE", "type/TimeWithLocalTZ"}, {"TIMESTAMP", "type/DateTime"}, {"TIMESTAMP_S", "type/DateTime"},
      {"TIMESTAMP_MS", "type/DateTime"}, {"TIMESTAMP_NS", "type/DateTime"}, {"TIMESTAMP WITH TIME ZONE", "type/DateTimeWithLocalTZ"},
      {"VARCHAR", "type/Text"}, {"ENUM", "type/Text"}, {"UUID", "type/UUID"}, {"JSON", "type/JSON"}, {"STRUCT", "type/Dictionary"},
      {"MAP", "type/Dictionary"}};
  for (auto& entry : entries) {
    if (entry.name == word) return std::string(entry.base_type);
  }
  return "type/*";
}

std::size_t text_bytes(const Library& library, const Type& type, duckdb_vector source, std::uint64_t row) {
  if (type.id != DUCKDB_TYPE_VARCHAR && type.id != DUCKDB_TYPE_BLOB) return 0;
  if (!present(library.vector_get_validity(source), row)) return 0;
  return text_at(library.vector_get_data(source), row).size() * (type.id == DUCKDB_TYPE_BLOB ? 2 : 1);
}

void append(const Library& library, rows::Vector& column, const Type& type, duckdb_vector source, std::uint64_t from, std::uint64_t to,
            const TimeZone* zone) {
  auto* validity = library.vector_get_validity(source);
  const void* data = library.vector_get_data(source);
  switch (type.id) {
    case DUCKDB_TYPE_BOOLEAN: return append_integers<bool>(column, source, library, from, to);
    case DUCKDB_TYPE_TINYINT: return append_integers<std::int8_t>(column, source, library, from, to);
    case DUCKDB_TYPE_SMALLINT: return append_integers<std::int16_t>(column, source, library, from, to);
    case DUCKDB_TYPE_INTEGER: return append_integers<std::int32_t>(column, source, library, from, to);
    case DUCKDB_TYPE_BIGINT: return append_integers<std::int64_t>(column, source, library, from, to);
    case DUCKDB_TYPE_UTINYINT: return append_integers<std::uint8_t>(column, source, library, from, to);
    case DUCKDB_TYPE_USMALLINT: return append_integers<std::uint16_t>(column, source, library, from, to);
    case DUCKDB_TYPE_UINTEGER: return append_integers<std::uint32_t>(column, source, library, from, to);
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT: {
      bool fits = true;
      for (auto row = from; row < to && fits; ++row) {
        if (!present(validity, row)) continue;
        if (type.id == DUCKDB_TYPE_UBIGINT) fits = static_cast<const std::uint64_t*>(data)[row] <= INT64_MAX;
        else {
          auto v = wide(static_cast<const duckdb_hugeint*>(data)[row]);
          fits = v >= INT64_MIN && v <= INT64_MAX;
        }
      }
      if (type.id == DUCKDB_TYPE_UBIGINT && fits) return append_integers<std::uint64_t>(column, source, library, from, to);
      if (fits) {
        for (auto row = from; row < to; ++row) {
          if (present(validity, row)) column.append_integer(static_cast<std::int64_t>(wide(static_cast<const duckdb_hugeint*>(data)[row])));
          else column.append_null();
        }
        return;
      }
      column = rows::Vector(Kind::Decimal);
      break;
    }
    case DUCKDB_TYPE_UHUGEINT: column = rows::Vector(Kind::Decimal); break;
    case DUCKDB_TYPE_DOUBLE:
      for (auto row = from; row < to; ++row) {
        if (present(validity, row)) column.append_real(static_cast<const double*>(data)[row]);
        else column.append_null();
      }
      return;
    case DUCKDB_TYPE_VARCHAR:
      for (auto row = from; row < to; ++row) {
        if (present(validity, row)) column.append_text(text_at(data, row));
        else column.append_null();
      }
      return;
    default: break;
  }
  std::string text;
  for (auto row = from; row < to; ++row) {
    if (!present(validity, row)) { column.append_null(); continue; }
    text.clear();
    write_value(library, text, type, source, row, Form::Plain, zone);
    column.append_text(text);
  }
}

}  // namespace basalt::drivers::duckdb
