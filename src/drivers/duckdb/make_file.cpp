#include "drivers/duckdb/make_file.h"

#include "base/failure.h"
#include "drivers/duckdb/library.h"

namespace basalt::drivers::duckdb {

void make_file(const std::filesystem::path& file, const std::string& sql) {
  auto& duck = library();
  duckdb_config config = nullptr;
  duck.create_config(&config);
  duckdb_database database = nullptr;
  auto opened = duck.open_ext(file.c_str(), &database, config, nullptr);
  duck.destroy_config(&config);
  if (opened != DuckDBSuccess) throw Failure(FailureKind::Database, "The file " + file.string() + " can't be made.");
  duckdb_connection connection = nullptr;
  duck.connect(database, &connection);
  duckdb_result result{};
  std::string words = duck.query(connection, sql.c_str(), &result) == DuckDBSuccess ? "" : duck.result_error(&result);
  duck.destroy_result(&result);
  duck.disconnect(&connection);
  duck.close(&database);
  if (!words.empty()) throw Failure(FailureKind::Database, words);
}

}  // namespace basalt::drivers::duckdb
