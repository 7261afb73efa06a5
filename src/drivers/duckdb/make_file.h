// Making DuckDB files: the sample database (build_file.h), and what tests read.
#pragma once
#include <filesystem>
#include <string>

namespace basalt::drivers::duckdb {

// Runs the statements on the file, made when missing. Throws Failure Database with DuckDB's own words.
void make_file(const std::filesystem::path& file, const std::string& sql);

}  // namespace basalt::drivers::duckdb
