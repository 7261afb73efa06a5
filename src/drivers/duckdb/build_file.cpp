#include "drivers/duckdb/build_file.h"

#include "base/failure.h"
#include "drivers/duckdb/library.h"

namespace basalt::drivers::duckdb {
namespace {

class WritableDatabase {
 public:
  WritableDatabase(const Library& library, const std::filesystem::path& file) : library_(library) {
    duckdb_config config = nullptr;
    char* error = nullptr;
    if (library_.create_config(&config) != DuckDBSuccess) throw Failure(FailureKind::Database, "DuckDB could not be configured.");
    library_.set_config(config, "threads", "1");
    auto opened = library_.open_ext(file.c_str(), &database_, config, &error);
    library_.destroy_config(&config);
    if (opened != DuckDBSuccess) {
      std::string message = error ? error : "DuckDB could not open the file.";
      if (error) library_.free(error);
      throw Failure(FailureKind::Database, message);
    }
    if (library_.connect(database_, &connection_) != DuckDBSuccess) {
      library_.close(&database_);
      throw Failure(FailureKind::Database, "DuckDB could not connect to the file.");
    }
  }
  ~WritableDatabase() {
    library_.disconnect(&connection_);
    library_.close(&database_);
  }
  WritableDatabase(const WritableDatabase&) = delete;
  WritableDatabase& operator=(const WritableDatabase&) = delete;

  void run(const std::string& sql) {
    duckdb_result result;
    auto state = library_.query(connection_, sql.c_str(), &result);
    std::string message = state == DuckDBSuccess ? "" : library_.result_error(&result);
    library_.destroy_result(&result);
    if (state != DuckDBSuccess) throw Failure(FailureKind::Database, message);
  }

 private:
  const Library& library_;
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

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
  {
    WritableDatabase database(library(), scratch);
    database.run("BEGIN");
    for (auto& table : tables) {
      database.run(table.create_sql);
      database.run("COPY " + table.name + " FROM " + literal(table.csv_file.string()) + " (FORMAT csv, HEADER false, NULL '', ALLOW_QUOTED_NULLS true)");
    }
    database.run("COMMIT");
    database.run("CHECKPOINT");
  }
  std::filesystem::rename(scratch, file);
  std::filesystem::remove(scratch.string() + ".wal");
}

}  // namespace basalt::drivers::duckdb
