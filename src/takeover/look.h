// Reads what a Metabase left in a database, and changes not a byte of it.
#pragma once
#include <filesystem>

#include "takeover/metabase.h"

namespace basalt::takeover {

struct Found {
  std::string where;  // "PostgreSQL, schema public", "MySQL on db.example.com, database metabase", "the file /metabase.db.mv.db"
  Evidence evidence;
  Judgement judgement;
  // Which, where, how much is in it, the way, what else to know, and that taking over is not there yet. Lines for a terminal.
  std::string text() const;
  json::object to_json() const;
};

// In all schemas of a PostgreSQL, in one read-only snapshot, within seconds. Absent when there is none. Failure Unavailable when it
// cannot be reached; one that may not be read is found, and its judgement says so.
std::optional<Found> look_in_postgres(const std::string& uri);

struct MysqlPlace {
  std::string host = "localhost", database, user, password;
  int port = 3306;
  bool tls = false;
};
// The same in one database of a MySQL or MariaDB. Failure Database with the server's words when it cannot be reached or read.
std::optional<Found> look_in_mysql(const MysqlPlace& place);

// The H2 file of the name that Metabase knows it by (without .mv.db) or of its own. Absent when there is none.
std::optional<Found> look_at_h2(const std::filesystem::path& path);

}  // namespace basalt::takeover
