// The sample database as a file in the data directory, and as a connected database.
#pragma once
#include <filesystem>

#include "features/services.h"

namespace basalt::features {

// Writes the sample data to `file` (DuckDB). Loads the DuckDB library: the server runs it in a process of its own.
void write_sample_database(const std::filesystem::path& file);

// <data>/sample-database.duckdb, made when missing by running this program again as `make-sample-database`; absent when that
// failed (logged): a server without its sample is still a server.
std::optional<std::filesystem::path> ensure_sample_file(const std::filesystem::path& data_directory);

// Connects it as "Sample Database" and syncs it at once; returns the existing one when it is there already.
std::optional<DatabaseId> add_sample_database(Services& services);

}  // namespace basalt::features
