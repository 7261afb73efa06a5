// Makes a DuckDB file from tables given as CSV (the sample database).
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace basalt::drivers::duckdb {

struct CsvTable {
  std::string name, create_sql;           // our own text, never a person's
  std::filesystem::path csv_file;         // without header, empty field = NULL
};

// Writes beside `file` first and renames, so that a crash leaves no half of it. Replaces an existing file. Loads the DuckDB
// library into this process. Throws Failure Database with DuckDB's message.
void build_file(const std::filesystem::path& file, const std::vector<CsvTable>& tables);

}  // namespace basalt::drivers::duckdb
