#include "features/sample/sample_database.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/log.h"
#include "drivers/duckdb/build_file.h"
#include "features/databases/databases_api.h"
#include "features/databases/sync.h"
#include "features/sample/sample_data.h"

extern char** environ;

namespace basalt::features {

void write_sample_database(const std::filesystem::path& file) {
  auto directory = file.string() + ".parts";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  std::vector<drivers::duckdb::CsvTable> tables;
  for (auto& table : make_sample_data()) {
    auto path = std::filesystem::path(directory) / (table.name + ".csv");
    std::ofstream out(path, std::ios::binary);
    out << table.csv;
    out.close();
    if (!out) throw Failure(FailureKind::Unavailable, "The sample data cannot be written to " + directory + ": is the disk full?");
    tables.push_back({table.name, table.create_sql, path});
  }
  drivers::duckdb::build_file(file, tables);
  std::filesystem::remove_all(directory);
}

std::optional<std::filesystem::path> ensure_sample_file(const std::filesystem::path& data_directory) {
  auto file = std::filesystem::absolute(data_directory) / "sample-database.duckdb";
  if (std::filesystem::exists(file)) return file;
  std::string program = "/proc/self/exe", command = "make-sample-database", path = file.string();
  char* arguments[] = {program.data(), command.data(), path.data(), nullptr};
  pid_t child = 0;
  if (::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environ) != 0) {
    log::warning("The sample database could not be made", {{"reason", "the helper process did not start"}});
    return std::nullopt;
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !std::filesystem::exists(file)) {
    log::warning("The sample database could not be made", {{"file", path}});
    return std::nullopt;
  }
  return file;
}

std::optional<DatabaseId> add_sample_database(Services& services) {
  auto existing = services.store.read([](appdb::Connection& c) { return c.query_one("SELECT id FROM \"database\" WHERE is_sample = ?", {true}); });
  if (existing) return existing->id<DatabaseId>("id");
  auto file = ensure_sample_file(services.data_directory);
  if (!file) return std::nullopt;
  NewDatabase sample;
  sample.name = "Sample Database";
  sample.engine = "duckdb";
  sample.details = {{"database_file", file->string()}};
  sample.is_sample = true;
  return add_database(services, sample);
}

}  // namespace basalt::features
