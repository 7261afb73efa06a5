#include "drivers/mysql/types.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>

namespace basalt::drivers::mysql {
namespace {

using rows::Kind;

constexpr unsigned binary_charset = 63;

std::string_view attribute(const MYSQL_FIELD& field, mariadb_field_attr_t which) {
  MARIADB_CONST_STRING text{};
  return mariadb_field_attr(&text, &field, which) == 0 && text.str ? std::string_view(text.str, text.length) : std::string_view();
}

// Fractions of a second without the zeros at their end, and no fraction where it is none.
std::string_view without_zeros(std::string_view text) {
  auto point = text.find('.');
  if (point == std::string_view::npos) return text;
  while (text.back() == '0') text.remove_suffix(1);
  if (text.back() == '.') text.remove_suffix(1);
  return text;
}

int number(std::string_view text) {
  int result = 0;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

// "0000-00-00", and dates without a day or month, are no dates; people's servers have them in place of null.
bool no_date(std::string_view text) { return text.size() < 10 || text.starts_with("0000-00-00") || text.substr(5, 2) == "00" || text.substr(8, 2) == "00"; }

void append_moment(rows::Vector& column, std::string_view text, const TimeZone* zone) {
  if (no_date(text)) return column.append_null();
  text = without_zeros(text);
  char buffer[48];
  if (text.size() > 32) return column.append_text(text);
  std::memcpy(buffer, text.data(), text.size());
  std::size_t length = text.size();
  if (length > 10) buffer[10] = 'T';
  if (!zone) return column.append_text({buffer, length});
  int offset = 0;
  if (!zone->is_utc() && length >= 19) {
    using namespace std::chrono;
    sys_days day = year(number(text.substr(0, 4))) / number(text.substr(5, 2)) / number(text.substr(8, 2));
    auto local = duration_cast<seconds>(day.time_since_epoch()).count() + number(text.substr(11, 2)) * 3600 + number(text.substr(14, 2)) * 60 + number(text.substr(17, 2));
    offset = zone->offset_of_local(local);
  }
  if (offset == 0) {
    buffer[length++] = 'Z';
  } else {
    int minutes = std::abs(offset) / 60, hours = minutes / 60;
    minutes %= 60;
    char text_of_offset[6] = {offset < 0 ? '-' : '+', static_cast<char>('0' + hours / 10), static_cast<char>('0' + hours % 10), ':',
                              static_cast<char>('0' + minutes / 10), static_cast<char>('0' + minutes % 10)};
    std::memcpy(buffer + length, text_of_offset, sizeof text_of_offset);
    length += sizeof text_of_offset;
  }
  column.append_text({buffer, length});
}

void append_hexadecimal(rows::Vector& column, std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (unsigned char byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  column.append_text(text);
}

std::uint64_t bits(std::string_view bytes) {
  std::uint64_t value = 0;
  for (unsigned char byte : bytes) value = value << 8 | byte;
  return value;
}

struct CatalogRow { std::string_view name, base_type; };
constexpr CatalogRow catalog_types[] = {
    {"tinyint", "type/Integer"}, {"smallint", "type/Integer"}, {"mediumint", "type/Integer"}, {"int", "type/Integer"}, {"bigint", "type/BigInteger"},
    {"decimal", "type/Decimal"}, {"float", "type/Float"}, {"double", "type/Float"}, {"bit", "type/Integer"}, {"year", "type/Integer"},
    {"date", "type/Date"}, {"datetime", "type/DateTime"}, {"timestamp", "type/DateTimeWithLocalTZ"}, {"time", "type/Time"},
    {"char", "type/Text"}, {"varchar", "type/Text"}, {"tinytext", "type/Text"}, {"text", "type/Text"}, {"mediumtext", "type/Text"}, {"longtext", "type/Text"},
    {"enum", "type/Text"}, {"set", "type/Text"}, {"json", "type/JSON"}, {"uuid", "type/UUID"}, {"inet4", "type/IPAddress"}, {"inet6", "type/IPAddress"},
};

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return result;
}

}  // namespace

CatalogType catalog_type(std::string_view data_type, std::string_view column_type) {
  CatalogType result{upper(data_type), "type/*"};
  for (auto& row : catalog_types)
    if (row.name == data_type) result.base_type = std::string(row.base_type);
  if (column_type.find(" unsigned") != std::string_view::npos) result.database_type += " UNSIGNED";
  if (column_type == "tinyint(1)" || column_type == "bit(1)") result.base_type = "type/Boolean";
  if (column_type == "int(10) unsigned" || column_type == "int unsigned") result.base_type = "type/BigInteger";
  return result;
}

rows::Column column_of(const MYSQL_FIELD& field, const TimeZone* zone, Reading& reading) {
  rows::Column column;
  column.name.assign(field.name, field.name_length);
  auto is = [&](std::string_view name, Kind kind, Reading read) {
    auto type = catalog_type(name, (field.flags & UNSIGNED_FLAG) && kind != Kind::Text ? "x unsigned" : "");
    column.database_type = std::move(type.database_type);
    column.base_type = std::move(type.base_type);
    column.kind = kind;
    reading = read;
  };
  switch (field.type) {
    case MYSQL_TYPE_TINY:
      is("tinyint", Kind::Integer, Reading::Integer);
      if (field.length == 1) {
        column.kind = Kind::Boolean;
        column.base_type = "type/Boolean";
        reading = Reading::Boolean;
      }
      return column;
    case MYSQL_TYPE_SHORT: is("smallint", Kind::Integer, Reading::Integer); return column;
    case MYSQL_TYPE_INT24: is("mediumint", Kind::Integer, Reading::Integer); return column;
    case MYSQL_TYPE_LONG:
      is("int", Kind::Integer, Reading::Integer);
      if (field.flags & UNSIGNED_FLAG) column.base_type = "type/BigInteger";
      return column;
    case MYSQL_TYPE_LONGLONG:
      is("bigint", Kind::Integer, Reading::Integer);
      // Half of the unsigned numbers are too large for ours: they stay digits.
      if (field.flags & UNSIGNED_FLAG) {
        column.kind = Kind::Decimal;
        reading = Reading::Decimal;
      }
      return column;
    case MYSQL_TYPE_YEAR:
      is("year", Kind::Integer, Reading::Integer);
      column.database_type = "YEAR";
      return column;
    case MYSQL_TYPE_BIT:
      is("bit", Kind::Integer, Reading::Bit);
      column.database_type = "BIT";
      if (field.length == 1) {
        column.kind = Kind::Boolean;
        column.base_type = "type/Boolean";
      } else if (field.length > 63) {
        column.kind = Kind::Decimal;
      }
      return column;
    case MYSQL_TYPE_FLOAT: is("float", Kind::Real, Reading::Real); return column;
    case MYSQL_TYPE_DOUBLE: is("double", Kind::Real, Reading::Real); return column;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL: is("decimal", Kind::Decimal, Reading::Decimal); return column;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE: is("date", Kind::Date, Reading::Date); return column;
    case MYSQL_TYPE_TIME:
    case MYSQL_TYPE_TIME2: is("time", Kind::Time, Reading::Time); return column;
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_DATETIME2: is("datetime", Kind::Timestamp, Reading::Timestamp); return column;
    case MYSQL_TYPE_TIMESTAMP:
    case MYSQL_TYPE_TIMESTAMP2:
      if (zone) is("timestamp", Kind::TimestampTz, Reading::Instant);
      else is("timestamp", Kind::Timestamp, Reading::Timestamp);
      column.database_type = "TIMESTAMP";
      return column;
    case MYSQL_TYPE_JSON: is("json", Kind::Json, Reading::Plain); return column;
    case MYSQL_TYPE_GEOMETRY:
      is("geometry", Kind::Bytes, Reading::Bytes);
      return column;
    default: break;
  }
  if (attribute(field, MARIADB_FIELD_ATTR_FORMAT_NAME) == "json") {
    is("json", Kind::Json, Reading::Plain);
    return column;
  }
  if (auto type = attribute(field, MARIADB_FIELD_ATTR_DATA_TYPE_NAME); !type.empty()) {
    is(type, Kind::Text, Reading::Plain);
    if (column.base_type == "type/*") {  // point, polygon …
      column.kind = Kind::Bytes;
      reading = Reading::Bytes;
    }
    return column;
  }
  bool binary = field.charsetnr == binary_charset;
  bool fixed = field.type == MYSQL_TYPE_STRING;
  if (field.flags & ENUM_FLAG) is("enum", Kind::Text, Reading::Plain);
  else if (field.flags & SET_FLAG) is("set", Kind::Text, Reading::Plain);
  else if (field.type == MYSQL_TYPE_NULL) is("null", Kind::Text, Reading::Plain);
  else if (binary) is((field.flags & BLOB_FLAG) ? "blob" : fixed ? "binary" : "varbinary", Kind::Bytes, Reading::Bytes);
  else is((field.flags & BLOB_FLAG) ? "text" : fixed ? "char" : "varchar", Kind::Text, Reading::Plain);
  return column;
}

void append(rows::Vector& column, Reading reading, std::string_view text, const TimeZone* zone) {
  switch (reading) {
    case Reading::Integer: {
      std::int64_t value = 0;
      std::from_chars(text.data(), text.data() + text.size(), value);
      return column.append_integer(value);
    }
    case Reading::Boolean: return column.append_integer(text == "0" ? 0 : 1);
    case Reading::Bit:
      if (column.kind() == Kind::Decimal) return column.append_text(std::to_string(bits(text)));
      return column.append_integer(column.kind() == Kind::Boolean ? bits(text) != 0 : static_cast<std::int64_t>(bits(text)));
    case Reading::Real: {
      double value = 0;
      std::from_chars(text.data(), text.data() + text.size(), value);
      return column.append_real(value);
    }
    case Reading::Date: return no_date(text) ? column.append_null() : column.append_text(text);
    case Reading::Time: return column.append_text(without_zeros(text));
    case Reading::Timestamp: return append_moment(column, text, nullptr);
    case Reading::Instant: return append_moment(column, text, zone);
    case Reading::Bytes: return append_hexadecimal(column, text);
    case Reading::Decimal:
    case Reading::Plain: return column.append_text(text);
  }
}

void append(rows::Vector& column, Reading reading, const MYSQL_TIME& time, const TimeZone* zone) {
  char text[64];
  int length = 0;
  if (reading == Reading::Time) {
    length = std::snprintf(text, sizeof text, "%s%02u:%02u:%02u", time.neg ? "-" : "", time.hour + 24 * time.day, time.minute, time.second);
  } else {
    length = std::snprintf(text, sizeof text, "%04u-%02u-%02u", time.year, time.month, time.day);
    if (reading != Reading::Date) length += std::snprintf(text + length, sizeof text - static_cast<std::size_t>(length), " %02u:%02u:%02u", time.hour, time.minute, time.second);
  }
  if (reading != Reading::Date && time.second_part) length += std::snprintf(text + length, sizeof text - static_cast<std::size_t>(length), ".%06lu", time.second_part);
  append(column, reading, std::string_view(text, static_cast<std::size_t>(length)), zone);
}

}  // namespace basalt::drivers::mysql
