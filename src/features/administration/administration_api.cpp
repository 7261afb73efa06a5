#include "features/administration/administration_api.h"

#include <unistd.h>

#include <fstream>

#include "base/random.h"
#include "base/version.h"

namespace basalt::features {
namespace {

json::object task_json(const appdb::Row& row) {
  return {{"id", row.integer("id")}, {"task", row.text("task")}, {"db_id", json::or_null(row.optional_integer("database_id"))}, {"status", row.text("status")},
          {"started_at", row.text("started_at")}, {"ended_at", json::or_null(row.optional_text("ended_at"))},
          {"duration", json::or_null(row.optional_integer("duration_ms"))}, {"task_details", row.json("details")}, {"message", json::or_null(row.optional_text("message"))}};
}

constexpr std::string_view task_select = "SELECT id, task, database_id, status, started_at, ended_at, duration_ms, details, message FROM task_run";

json::value list_tasks(Services& services, const http::Request& request) {
  auto limit = request.query_integer("limit"), offset = request.query_integer("offset");
  if (limit && (*limit <= 0 || *limit > 10'000)) throw bad_field("limit", "value must be an integer from 1 to 10000.");
  if (offset && *offset < 0) throw bad_field("offset", "value must be an integer of zero or more.");
  std::string where = " WHERE task IS NOT NULL";
  appdb::Parameters bound;
  for (auto* column : {"task", "status"}) {
    auto value = request.query_value(column);
    if (!value || value->empty()) continue;
    where += std::string(" AND ") + column + " = ?";
    bound.push_back(*value);
  }
  static const std::map<std::string, std::string> sortable{{"task", "task"}, {"status", "status"}, {"started_at", "started_at"}, {"ended_at", "ended_at"}, {"duration", "duration_ms"}, {"db_id", "database_id"}};
  auto column = sortable.find(request.query_value("sort_column").value_or("started_at"));
  if (column == sortable.end()) throw bad_field("sort_column", "value must be task, status, started_at, ended_at, duration or db_id.");
  auto direction = request.query_value("sort_direction").value_or("desc");
  if (direction != "asc" && direction != "desc") throw bad_field("sort_direction", "value must be asc or desc.");
  return services.store.read([&](appdb::Connection& connection) {
    auto total = connection.count("SELECT count(*) FROM task_run" + where, bound);
    bound.push_back(limit.value_or(1000));
    bound.push_back(offset.value_or(0));
    json::array data;
    connection.each(std::string(task_select) + where + " ORDER BY " + column->second + " " + direction + ", id DESC LIMIT ? OFFSET ?", bound, [&](const appdb::Row& row) { data.push_back(task_json(row)); });
    return json::value(json::object{{"total", total}, {"limit", json::or_null(limit)}, {"offset", json::or_null(offset)}, {"data", std::move(data)}});
  });
}

json::value diagnostics(Services& services) {
  json::array engines;
  services.store.read([&](appdb::Connection& connection) {
    connection.each("SELECT DISTINCT engine FROM \"database\" ORDER BY engine", {}, [&](const appdb::Row& row) { engines.push_back(json::value(row.text("engine"))); });
  });
  std::string system = "Linux";
  std::ifstream release("/etc/os-release");
  for (std::string line; std::getline(release, line);) {
    if (line.starts_with("PRETTY_NAME=")) system = line.substr(13, line.size() - 14);
  }
  return json::object{{"system-info", json::object{{"os.name", system}, {"processors", static_cast<std::int64_t>(::sysconf(_SC_NPROCESSORS_ONLN))}}},
                      {"metabase-info", json::object{{"databases", std::move(engines)}, {"run-mode", "prod"},
                                                     {"application-database", services.store.engine() == appdb::Engine::Sqlite ? "sqlite" : "postgres"},
                                                     {"version", json::object{{"tag", api_level}}}, {"settings", json::object{{"report-timezone", services.settings.value("report-timezone")}}}}},
                      {"basalt-version", version()}};
}

}  // namespace

std::string metrics_text(const http::ServerCounters& counters, const std::vector<PoolState>& pools) {
  std::string out;
  auto put = [&](std::string_view name, const char* kind, const char* help, auto value) {
    out += "# HELP basalt_" + std::string(name) + " " + help + "\n# TYPE basalt_" + std::string(name) + " " + kind + "\nbasalt_" + std::string(name) + " " + std::to_string(value) + "\n";
  };
  put("http_requests_total", "counter", "Requests received.", counters.requests);
  put("http_failures_total", "counter", "Requests answered with a status of 500 or more.", counters.failures);
  put("http_connections_open", "gauge", "Connections open now.", counters.connections_open);
  put("http_connections_total", "counter", "Connections accepted.", counters.connections_total);
  put("http_sent_bytes_total", "counter", "Bytes sent.", counters.bytes_sent);
  auto pool_gauge = [&](const char* name, const char* help, std::size_t PoolState::*value) {
    out += "# HELP basalt_pool_" + std::string(name) + " " + help + "\n# TYPE basalt_pool_" + std::string(name) + " gauge\n";
    for (auto& pool : pools) out += "basalt_pool_" + std::string(name) + "{pool=\"" + pool.name + "\"} " + std::to_string(pool.*value) + "\n";
  };
  pool_gauge("busy", "Threads at work.", &PoolState::busy);
  pool_gauge("waiting", "Pieces of work that wait for a thread.", &PoolState::waiting);
  std::ifstream memory("/proc/self/statm");
  std::uint64_t pages = 0, resident = 0;
  if (memory >> pages >> resident) put("resident_memory_bytes", "gauge", "Memory in use.", resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  out += "# HELP basalt_build_info Which Basalt this is.\n# TYPE basalt_build_info gauge\nbasalt_build_info{version=\"" + version() + "\"} 1\n";
  return out;
}

void add_administration_routes(http::Routes& routes, Services& services) {
  routes.in_feature("administration");
  routes.get("/api/task", [&services](http::Request& request) { return list_tasks(services, request); }).administrator().summary("Tasks that ran or run, newest first.");
  routes.get("/api/task/unique-tasks", [&services](http::Request&) {
    return services.store.read([](appdb::Connection& connection) {
      json::array out;
      connection.each("SELECT DISTINCT task FROM task_run ORDER BY task", {}, [&](const appdb::Row& row) { out.push_back(json::value(row.text("task"))); });
      return json::value(std::move(out));
    });
  }).administrator().summary("Names of the tasks.");
  routes.get("/api/task/info", [](http::Request&) { return json::value(json::object{{"scheduler", json::array()}, {"jobs", json::array()}}); })
      .administrator().summary("The scheduler's state: jobs are not listed.");
  routes.get("/api/task/:id", [&services](http::Request& request) {
    auto id = request.path_integer("id");
    return services.store.read([&](appdb::Connection& connection) {
      auto row = connection.query_one(std::string(task_select) + " WHERE id = ?", {id});
      if (!row) throw not_found();
      return json::value(task_json(*row));
    });
  }).administrator().summary("One task.");
  routes.get("/api/util/random_token", [](http::Request&) { return json::value(json::object{{"token", random_hex(32)}}); }).administrator().summary("64 random hexadecimal characters.");
  for (auto* path : {"/api/bug-reporting/details", "/api/util/bug_report_details"}) {
    routes.get(path, [&services](http::Request&) { return diagnostics(services); }).administrator().summary("Facts that help with a bug report.");
  }
}

}  // namespace basalt::features
