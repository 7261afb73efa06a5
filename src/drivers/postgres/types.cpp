#include "drivers/postgres/types.h"

#include <charconv>
#include <cstring>

namespace basalt::drivers::postgres {
namespace {

using rows::Kind;

constexpr Type types[] = {
    {16, "bool", "type/Boolean", Kind::Boolean, Reading::Boolean},
    {17, "bytea", "type/*", Kind::Bytes, Reading::Bytes},
    {18, "char", "type/Text", Kind::Text, Reading::Plain},
    {19, "name", "type/Text", Kind::Text, Reading::Plain},
    {20, "int8", "type/BigInteger", Kind::Integer, Reading::Integer},
    {21, "int2", "type/Integer", Kind::Integer, Reading::Integer},
    {23, "int4", "type/Integer", Kind::Integer, Reading::Integer},
    {25, "text", "type/Text", Kind::Text, Reading::Plain},
    {26, "oid", "type/Integer", Kind::Integer, Reading::Integer},
    {114, "json", "type/JSON", Kind::Json, Reading::Plain},
    {142, "xml", "type/XML", Kind::Text, Reading::Plain},
    {650, "cidr", "type/Text", Kind::Text, Reading::Plain},
    {700, "float4", "type/Float", Kind::Real, Reading::Real},
    {701, "float8", "type/Float", Kind::Real, Reading::Real},
    {790, "money", "type/Decimal", Kind::Decimal, Reading::Money},
    {829, "macaddr", "type/Text", Kind::Text, Reading::Plain},
    {869, "inet", "type/IPAddress", Kind::Text, Reading::Plain},
    {1042, "bpchar", "type/Text", Kind::Text, Reading::Plain},
    {1043, "varchar", "type/Text", Kind::Text, Reading::Plain},
    {1082, "date", "type/Date", Kind::Date, Reading::Date},
    {1083, "time", "type/Time", Kind::Time, Reading::Time},
    {1114, "timestamp", "type/DateTime", Kind::Timestamp, Reading::Timestamp},
    {1184, "timestamptz", "type/DateTimeWithLocalTZ", Kind::TimestampTz, Reading::TimestampTz},
    {1186, "interval", "type/*", Kind::Text, Reading::Plain},
    {1266, "timetz", "type/TimeWithLocalTZ", Kind::Time, Reading::TimestampTz},
    {1560, "bit", "type/*", Kind::Text, Reading::Plain},
    {1562, "varbit", "type/*", Kind::Text, Reading::Plain},
    {1700, "numeric", "type/Decimal", Kind::Decimal, Reading::Decimal},
    {2950, "uuid", "type/UUID", Kind::Text, Reading::Plain},
    {3802, "jsonb", "type/JSON", Kind::Json, Reading::Plain},
    {0, "citext", "type/Text", Kind::Text, Reading::Plain},
    {0, "hstore", "type/Dictionary", Kind::Text, Reading::Plain},
    // Arrays that a result may hold; others are found by name.
    {199, "_json", "type/Array", Kind::Text, Reading::Plain},
    {1000, "_bool", "type/Array", Kind::Text, Reading::Plain},
    {1005, "_int2", "type/Array", Kind::Text, Reading::Plain},
    {1007, "_int4", "type/Array", Kind::Text, Reading::Plain},
    {1009, "_text", "type/Array", Kind::Text, Reading::Plain},
    {1015, "_varchar", "type/Array", Kind::Text, Reading::Plain},
    {1016, "_int8", "type/Array", Kind::Text, Reading::Plain},
    {1021, "_float4", "type/Array", Kind::Text, Reading::Plain},
    {1022, "_float8", "type/Array", Kind::Text, Reading::Plain},
    {1115, "_timestamp", "type/Array", Kind::Text, Reading::Plain},
    {1182, "_date", "type/Array", Kind::Text, Reading::Plain},
    {1185, "_timestamptz", "type/Array", Kind::Text, Reading::Plain},
    {1231, "_numeric", "type/Array", Kind::Text, Reading::Plain},
    {2951, "_uuid", "type/Array", Kind::Text, Reading::Plain},
    {3807, "_jsonb", "type/Array", Kind::Text, Reading::Plain},
};

// "2024-05-17 08:30:00.5" -> "2024-05-17T08:30:00.5", and the offset "+02" -> "+02:00", "+00" -> "Z". What is no usual
// date ("infinity", "0044-03-15 12:00:00 BC") stays as the server wrote it.
void append_timestamp(rows::Vector& column, std::string_view text, bool zoned, bool has_date) {
  char buffer[48];
  if (text.size() > 40 || (has_date && (text.size() < 19 || text[10] != ' ')) || text.ends_with("BC")) return column.append_text(text);
  std::memcpy(buffer, text.data(), text.size());
  std::size_t length = text.size();
  if (has_date) buffer[10] = 'T';
  if (zoned && length >= 3) {
    if (auto at = length - 3; buffer[at] == '+' || buffer[at] == '-') {
      if (buffer[at + 1] == '0' && buffer[at + 2] == '0') {
        buffer[at] = 'Z';
        length = at + 1;
      } else {
        std::memcpy(buffer + length, ":00", 3);
        length += 3;
      }
    } else if (length > 6 && text.ends_with("+00:00")) {
      buffer[length - 6] = 'Z';
      length -= 5;
    }
  }
  column.append_text({buffer, length});
}

void append_money(rows::Vector& column, std::string_view text) {
  char buffer[48];
  std::size_t length = 0;
  if (text.starts_with('(')) buffer[length++] = '-';  // some locales write debts in brackets
  for (char c : text) {
    if (length < sizeof buffer && ((c >= '0' && c <= '9') || c == '.' || c == '-')) buffer[length++] = c;
  }
  column.append_text({buffer, length});
}

}  // namespace

const Type* find_type(unsigned oid) {
  for (auto& type : types) {
    if (type.oid == oid && oid != 0) return &type;
  }
  return nullptr;
}

const Type* find_type(std::string_view name) {
  for (auto& type : types) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

std::string base_type_of(std::string_view name, char kind, char category) {
  if (kind == 'e') return "type/PostgresEnum";
  if (category == 'A') return "type/Array";
  auto* type = find_type(name);
  return type ? std::string(type->base_type) : "type/*";
}

void append(rows::Vector& column, Reading reading, std::string_view text) {
  switch (reading) {
    case Reading::Integer: {
      std::int64_t number = 0;
      std::from_chars(text.data(), text.data() + text.size(), number);
      return column.append_integer(number);
    }
    case Reading::Real: {
      double number = 0;
      // std::from_chars reads "NaN", "Infinity" and "-Infinity" as the server writes them.
      std::from_chars(text.data(), text.data() + text.size(), number);
      return column.append_real(number);
    }
    case Reading::Boolean: return column.append_integer(text == "t" ? 1 : 0);
    case Reading::Money: return append_money(column, text);
    case Reading::Timestamp: return append_timestamp(column, text, false, true);
    case Reading::TimestampTz: return append_timestamp(column, text, true, column.kind() == Kind::TimestampTz);
    case Reading::Bytes: return column.append_text(text.starts_with("\\x") ? text.substr(2) : text);
    case Reading::Decimal:
    case Reading::Plain:
    case Reading::Date:
    case Reading::Time: return column.append_text(text);
  }
}

}  // namespace basalt::drivers::postgres
