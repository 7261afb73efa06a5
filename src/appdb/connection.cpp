#include "appdb/connection.h"

#include <algorithm>

#include "base/failure.h"
#include "base/random.h"

namespace basalt::appdb {

std::string placeholders(std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += i ? ",?" : "?";
  return out;
}

std::string quoted(std::string_view identifier) {
  std::string out = "\"";
  for (char c : identifier) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::vector<Row> Connection::query(std::string_view sql, const Parameters& parameters) {
  std::vector<Row> rows;
  each(sql, parameters, [&](const Row& row) { rows.push_back(row); });
  return rows;
}

std::optional<Row> Connection::query_one(std::string_view sql, const Parameters& parameters) {
  std::optional<Row> first;
  each(sql, parameters, [&](const Row& row) { if (!first) first = row; });
  return first;
}

std::int64_t Connection::count(std::string_view sql, const Parameters& parameters) {
  auto row = query_one(sql, parameters);
  if (!row || row->values().empty()) return 0;
  auto& v = row->values().front();
  if (auto* i = std::get_if<std::int64_t>(&v)) return *i;
  if (auto* b = std::get_if<bool>(&v)) return *b ? 1 : 0;
  if (auto* d = std::get_if<double>(&v)) return static_cast<std::int64_t>(*d);
  if (std::holds_alternative<std::nullptr_t>(v)) return 0;
  throw Failure(FailureKind::Bug, "Something went wrong on our side.").with_details("count() of a text column: " + std::string(sql));
}

std::int64_t Connection::insert(std::string_view table, const std::vector<Assignment>& columns, HasId has_id) {
  bool has_row_uid = std::any_of(columns.begin(), columns.end(), [](auto& c) { return c.first == "row_uid"; });
  std::string sql = "INSERT INTO " + quoted(table) + " (";
  Parameters parameters;
  parameters.reserve(columns.size() + 1);
  if (!has_row_uid) {
    sql += "row_uid";
    parameters.emplace_back(uuid7());
  }
  for (auto& [name, value] : columns) {
    if (!parameters.empty()) sql += ", ";
    sql += quoted(name);
    parameters.push_back(value);
  }
  sql += ") VALUES (" + placeholders(parameters.size()) + ")";
  if (has_id == HasId::No) {
    execute(sql, parameters);
    return 0;
  }
  return count(sql + " RETURNING id", parameters);
}

void Connection::insert_rows(std::string_view table, const std::vector<std::string>& columns, const std::vector<Parameters>& rows) {
  bool has_row_uid = std::find(columns.begin(), columns.end(), "row_uid") != columns.end();
  std::size_t width = columns.size() + (has_row_uid ? 0 : 1);
  // Both engines bound the number of placeholders (32,766 and 65,535); a fixed chunk keeps the statement cacheable.
  std::size_t chunk = std::max<std::size_t>(1, std::min<std::size_t>(500, 30000 / width));
  std::string head = "INSERT INTO " + quoted(table) + " (";
  if (!has_row_uid) head += "row_uid";
  for (std::size_t i = 0; i < columns.size(); ++i) head += (i || !has_row_uid ? ", " : "") + quoted(columns[i]);
  head += ") VALUES ";
  std::string one = "(" + placeholders(width) + ")";
  for (std::size_t start = 0; start < rows.size(); start += chunk) {
    std::size_t end = std::min(rows.size(), start + chunk);
    std::string sql = head;
    Parameters parameters;
    parameters.reserve((end - start) * width);
    for (std::size_t i = start; i < end; ++i) {
      if (rows[i].size() != columns.size())
        throw Failure(FailureKind::Bug, "Something went wrong on our side.").with_details("insert_rows: a row with another number of values than columns, table " + std::string(table));
      sql += (i > start ? "," : "") + one;
      if (!has_row_uid) parameters.emplace_back(uuid7());
      parameters.insert(parameters.end(), rows[i].begin(), rows[i].end());
    }
    execute(sql, parameters);
  }
}

std::int64_t Connection::update(std::string_view table, const std::vector<Assignment>& columns, std::string_view where_column, const Parameter& equals) {
  if (columns.empty()) return 0;
  std::string sql = "UPDATE " + quoted(table) + " SET ";
  Parameters parameters;
  for (auto& [name, value] : columns) {
    if (!parameters.empty()) sql += ", ";
    sql += quoted(name) + " = ?";
    parameters.push_back(value);
  }
  sql += " WHERE " + quoted(where_column) + " = ?";
  parameters.push_back(equals);
  return execute(sql, parameters);
}

}  // namespace basalt::appdb
