#include "drivers/duckdb/instance.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/failure.h"

namespace basalt::drivers::duckdb {
namespace {

namespace fs = std::filesystem;

std::string literal(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + '\'';
}
std::string identifier(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

Failure refuse(const std::string& sentence) { return Failure(FailureKind::Database, sentence).with_field("database_file", sentence); }

// The function that reads a file of rows; empty: it is none.
std::string reader_of(const fs::path& file) {
  auto name = file.filename().string();
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (auto packed : {".gz", ".zst"}) {
    if (name.ends_with(packed)) name.resize(name.size() - std::strlen(packed));
  }
  if (name.ends_with(".csv") || name.ends_with(".tsv")) return "read_csv";
  if (name.ends_with(".parquet")) return "read_parquet";
  if (name.ends_with(".json") || name.ends_with(".jsonl") || name.ends_with(".ndjson")) return "read_json_auto";
  return "";
}

std::vector<fs::path> files_of_rows(const fs::path& path) {
  std::vector<fs::path> files;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    for (auto& entry : fs::directory_iterator(path, error)) {
      if (entry.is_regular_file() && !reader_of(entry.path()).empty()) files.push_back(entry.path());
      if (files.size() > 1000) throw refuse("The folder " + path.string() + " has more than 1000 files; name one with fewer.");
    }
    if (error) throw refuse("The server has no right to read the folder " + path.string() + ".");
    if (files.empty()) throw refuse("The folder " + path.string() + " has no CSV, Parquet or JSON file.");
  } else if (!reader_of(path).empty()) {
    files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Instance::Instance(const Library& library, const std::string& path, const std::string& time_zone, const DriverOptions& options) : library_(library) {
  fs::path file(path);
  std::error_code error;
  if (!fs::exists(file, error)) throw refuse("There is no file " + path + " on the server.");
  if (::access(path.c_str(), R_OK) != 0) throw refuse("The server has no right to read " + path + ".");
  auto rows = files_of_rows(file);
  auto spill = options.data_directory / "tmp" / "duckdb";
  fs::create_directories(spill, error);

  duckdb_config config = nullptr;
  library_.create_config(&config);
  library_.set_config(config, "memory_limit", (std::to_string(options.duckdb_memory_mb) + "MB").c_str());
  library_.set_config(config, "access_mode", rows.empty() ? "READ_ONLY" : "READ_WRITE");
  library_.set_config(config, "autoinstall_known_extensions", "false");
  library_.set_config(config, "autoload_known_extensions", "false");
  library_.set_config(config, "custom_user_agent", "basalt");
  char* words = nullptr;
  auto state = library_.open_ext(rows.empty() ? path.c_str() : nullptr, &database_, config, &words);
  library_.destroy_config(&config);
  if (state != DuckDBSuccess) {
    std::string sentence = words ? words : "The file " + path + " can't be opened.";
    library_.free(words);
    if (sentence.find("not a valid DuckDB database file") != std::string::npos) sentence = "The file " + path + " is not a DuckDB database.";
    throw refuse(sentence);
  }
  auto connection = connect();
  try {
    if (!time_zone.empty()) run(connection, "SET GLOBAL TimeZone = " + literal(time_zone));
    std::vector<std::string> folders;
    for (auto& one : rows) {
      auto name = one.stem().string();
      if (auto dot = name.find('.'); dot != std::string::npos && dot > 0) name.resize(dot);
      run(connection, "CREATE VIEW " + identifier(name) + " AS SELECT * FROM " + reader_of(one) + "(" + literal(one.string()) + ")");
    }
    // In this order: what may be reached can't be changed after the second last line, and another order makes closing crash.
    run(connection, "SET temp_directory = " + literal(spill.string()));
    if (!rows.empty()) {
      auto folder = fs::is_directory(file) ? file : file.parent_path();
      run(connection, fs::is_directory(file) ? "SET allowed_directories = [" + literal(folder.string()) + "]" : "SET allowed_paths = [" + literal(path) + "]");
    }
    run(connection, "SET enable_external_access = false");
    run(connection, "SET lock_configuration = true");
  } catch (...) {
    library_.disconnect(&connection);
    library_.close(&database_);
    throw;
  }
  library_.disconnect(&connection);
}

Instance::~Instance() { library_.close(&database_); }

duckdb_connection Instance::connect() {
  duckdb_connection connection = nullptr;
  if (library_.connect(database_, &connection) != DuckDBSuccess) throw Failure(FailureKind::Database, "DuckDB gives no connection.");
  return connection;
}

void Instance::run(duckdb_connection connection, const std::string& sql) {
  duckdb_result result{};
  auto state = library_.query(connection, sql.c_str(), &result);
  std::string words = state == DuckDBSuccess ? "" : library_.result_error(&result);
  library_.destroy_result(&result);
  if (state != DuckDBSuccess) throw refuse(words);
}

std::shared_ptr<Instance> Instances::open(const std::string& path, const std::string& time_zone) {
  auto& loaded = library();
  std::lock_guard lock(mutex_);
  std::erase_if(open_, [](auto& entry) { return entry.second.expired(); });
  auto& slot = open_[{path, time_zone}];
  if (auto found = slot.lock()) return found;
  auto made = std::make_shared<Instance>(loaded, path, time_zone, options_);
  slot = made;
  return made;
}

Watchdog::~Watchdog() {
  if (thread_.joinable()) thread_.request_stop();
}

std::uint64_t Watchdog::watch(Clock::time_point deadline, std::function<void()> late) {
  std::lock_guard lock(mutex_);
  auto ticket = next_ticket_++;
  watched_[ticket] = {deadline, std::move(late)};
  if (!thread_.joinable()) thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  changed_.notify_one();
  return ticket;
}

void Watchdog::forget(std::uint64_t ticket) {
  std::lock_guard lock(mutex_);
  watched_.erase(ticket);
}

void Watchdog::run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    auto next = Clock::now() + std::chrono::hours(1);
    for (auto entry = watched_.begin(); entry != watched_.end();) {
      if (entry->second.first <= Clock::now()) {
        entry->second.second();  // an interrupt: quick, and under the lock so that forget() means forgotten
        entry = watched_.erase(entry);
      } else {
        next = std::min(next, entry->second.first);
        ++entry;
      }
    }
    changed_.wait_until(lock, stop, next, [&] {
      return std::any_of(watched_.begin(), watched_.end(), [&](auto& entry) { return entry.second.first < next; });
    });
  }
}

}  // namespace basalt::drivers::duckdb
