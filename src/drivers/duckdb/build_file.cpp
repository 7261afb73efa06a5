#include "drivers/duckdb/build_file.h"

#include "drivers/duckdb/make_file.h"

namespace basalt::drivers::duckdb {
namespace {

std::string literal(const std::string& text) {
  std::string out = "'";
  for (char c : text) { if (c == '\'') out += '\''; out += c; }
  return out + "'";
}

}  // namespace

void build_file(const std::filesystem::path& file, const std::vector<CsvTable>& tables) {
  auto scratch = file;
  scratch += ".new";
  std::filesystem::remove(scratch);
  std::string sql = "BEGIN;";
  for (auto& table : tables) {
    sql += table.create_sql + ";";
    sql += "COPY " + table.name + " FROM " + literal(table.csv_file.string()) + " (FORMAT csv, HEADER false, NULL '', ALLOW_QUOTED_NULLS true);";
  }
  make_file(scratch, sql + "COMMIT; CHECKPOINT");
  std::filesystem::rename(scratch, file);
  std::filesystem::remove(scratch.string() + ".wal");
}

}  // namespace basalt::drivers::duckdb
