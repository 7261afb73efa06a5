// MySQL's and MariaDB's types as rows and the API know them, and their text output as values.
#pragma once
#include <mysql.h>

#include <string>
#include <string_view>

#include "base/time_zone.h"
#include "rows/batch.h"

namespace basalt::drivers::mysql {

// How the server's value becomes ours. From the text protocol every value is text; from a prepared statement integers, reals and
// dates come as such and are appended directly.
enum class Reading : std::uint8_t { Integer, Real, Decimal, Boolean, Bit, Plain, Date, Time, Timestamp, Instant, Bytes };

// What a result says about one of its columns. `zone`: the session's, for TIMESTAMP; nullptr when its rules are not known, then
// such a column has no zone.
rows::Column column_of(const MYSQL_FIELD& field, const TimeZone* zone, Reading& reading);

// The API's type and ours for a column of the catalogue: DATA_TYPE ("tinyint") and COLUMN_TYPE ("tinyint(1) unsigned").
struct CatalogType { std::string database_type, base_type; };
CatalogType catalog_type(std::string_view data_type, std::string_view column_type);

// Appends one value in the server's text form.
void append(rows::Vector& column, Reading reading, std::string_view text, const TimeZone* zone);
// One of a prepared statement's dates, times and moments.
void append(rows::Vector& column, Reading reading, const MYSQL_TIME& time, const TimeZone* zone);

}  // namespace basalt::drivers::mysql
