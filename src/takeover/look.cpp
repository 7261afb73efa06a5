#include "takeover/look.h"

#include <fstream>
#include <set>

#include "appdb/postgres_connection.h"
#include "base/failure.h"
#include "base/version.h"

namespace basalt::takeover {
namespace {

using appdb::PostgresConnection;

std::string grouped(std::int64_t number) {
  auto digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string counted(std::int64_t n, const char* one, const char* many) { return grouped(n) + " " + (n == 1 ? one : many); }

// Its tables by name, so that nothing is asked for that a release does not have.
class Tables {
 public:
  Tables(PostgresConnection& connection, std::string schema) : connection_(connection), schema_(std::move(schema)) {
    connection_.each("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ?", {schema_}, [&](const appdb::Row& row) { columns_.insert({row.text("table_name"), row.text("column_name")}); tables_.insert(row.text("table_name")); });
  }
  bool has(const std::string& table) const { return tables_.contains(table); }
  bool has(const std::string& table, const std::string& column) const { return columns_.contains({table, column}); }
  std::string name(const std::string& table) const { return appdb::quoted(schema_) + "." + appdb::quoted(table); }

 private:
  PostgresConnection& connection_;
  std::string schema_;
  std::set<std::string> tables_;
  std::set<std::pair<std::string, std::string>> columns_;
};

// The greater of two texts like "v0.50.3 (abc1234)" by their numbers.
bool newer(std::string_view a, std::string_view b) {
  auto numbers = [](std::string_view text) {
    std::vector<int> out;
    for (std::size_t i = 0; i < text.size() && text[i] != ' ';) {
      if (text[i] < '0' || text[i] > '9') { ++i; continue; }
      int n = 0;
      for (; i < text.size() && text[i] >= '0' && text[i] <= '9' && n < 100'000'000; ++i) n = n * 10 + (text[i] - '0');
      out.push_back(n);
    }
    return out;
  };
  return numbers(a) > numbers(b);
}

Evidence read_evidence(PostgresConnection& connection, const Tables& tables) {
  Evidence out;
  // The whole log is some hundreds of lines in any release.
  auto comments = tables.has("databasechangelog", "comments") ? "comments" : "NULL AS comments";
  auto state = tables.has("databasechangelog", "exectype") ? "exectype" : "NULL AS exectype";
  connection.each("SELECT id, " + std::string(comments) + ", " + state + " FROM " + tables.name("databasechangelog") + " LIMIT 20000", {}, [&](const appdb::Row& row) {
    out.changes.push_back(Change{row.text("id"), row.optional_text("comments").value_or(""), row.optional_text("exectype").value_or("")});
  });
  if (tables.has("databasechangelog_version", "metabase_version") && tables.has("databasechangelog", "deployment_id")) {
    auto ran = tables.has("databasechangelog_version", "ran_migrations") ? " AND v.ran_migrations" : "";
    auto row = connection.query_one("SELECT v.metabase_version FROM " + tables.name("databasechangelog_version") + " v WHERE v.deployment_id = (SELECT l.deployment_id FROM " + tables.name("databasechangelog") +
                                    " l ORDER BY l.dateexecuted DESC, l.orderexecuted DESC LIMIT 1)" + ran + " LIMIT 1");
    if (row) out.version_row = row->optional_text("metabase_version").value_or("");
  }
  out.models = tables.has("report_card", "dataset") || tables.has("report_card", "type");
  out.semantic_types = tables.has("metabase_field", "semantic_type");
  if (tables.has("report_card", "metabase_version"))
    connection.each("SELECT DISTINCT metabase_version FROM " + tables.name("report_card") + " WHERE metabase_version IS NOT NULL LIMIT 1000", {}, [&](const appdb::Row& row) {
      if (auto one = row.text("metabase_version"); newer(one, out.saved_by)) out.saved_by = one;
    });
  if (tables.has("databasechangeloglock", "locked"))
    if (auto row = connection.query_one("SELECT locked, lockedby FROM " + tables.name("databasechangeloglock") + " WHERE locked LIMIT 1")) {
      out.locked = true;
      out.locked_by = row->optional_text("lockedby").value_or("");
    }
  out.envelope_keys = tables.has("data_encryption_key") && connection.count("SELECT count(*) FROM " + tables.name("data_encryption_key")) > 0;
  if (tables.has("setting", "value"))
    if (auto row = connection.query_one("SELECT value FROM " + tables.name("setting") + " WHERE key = ?", {"encryption-check"})) out.encrypted = row->optional_text("value") != "unencrypted";
  auto counted_rows = [&](const char* table, const std::string& where) -> std::optional<std::int64_t> {
    if (!tables.has(table)) return std::nullopt;
    return connection.count("SELECT count(*) FROM " + tables.name(table) + where);
  };
  out.people = counted_rows("core_user", tables.has("core_user", "type") ? " WHERE type = 'personal'" : "");
  out.questions = counted_rows("report_card", "");
  out.dashboards = counted_rows("report_dashboard", "");
  return out;
}

}  // namespace

std::string Found::text() const {
  std::string out = "A Metabase was found: " + where + ".\n  " + judgement.sentence + "\n";
  if (evidence.questions && evidence.dashboards && evidence.people)
    out += "  It holds " + counted(*evidence.questions, "question", "questions") + ", " + counted(*evidence.dashboards, "dashboard", "dashboards") + " and " + counted(*evidence.people, "account", "accounts") + ".\n";
  for (auto& note : judgement.notes) out += "  " + note + "\n";
  out += "  Basalt " + version() + " tells the way and does not take over yet; that comes with a later version. It touches nothing of this Metabase.\n";
  return out;
}

json::object Found::to_json() const {
  json::array through, notes;
  for (auto& one : judgement.through) through.push_back(json::value(one));
  for (auto& one : judgement.notes) notes.push_back(json::value(one));
  return json::object{{"where", where}, {"version", judgement.version.empty() ? json::value(nullptr) : json::value(judgement.version)}, {"saved_by", evidence.saved_by.empty() ? json::value(nullptr) : json::value(evidence.saved_by)},
                      {"way", word_of(judgement.way)}, {"through", std::move(through)}, {"sentence", judgement.sentence}, {"notes", std::move(notes)}, {"people", json::or_null(evidence.people)},
                      {"questions", json::or_null(evidence.questions)}, {"dashboards", json::or_null(evidence.dashboards)}, {"can_take_over_now", false}};
}

std::optional<Found> look_in_postgres(const std::string& uri) {
  PostgresConnection connection(uri, "public");
  connection.execute_script("SET default_transaction_read_only TO on; SET statement_timeout TO '10s'; SET lock_timeout TO '2s'; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  auto row = connection.query_one("SELECT n.nspname AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND c.relname = 'databasechangelog' AND EXISTS "
                                  "(SELECT 1 FROM pg_class m WHERE m.relnamespace = n.oid AND m.relname = 'metabase_database') ORDER BY n.nspname <> 'public', n.nspname LIMIT 1");
  if (!row) return std::nullopt;
  Found found;
  auto schema = row->text("schema");
  found.where = "PostgreSQL, schema " + schema;
  try {
    found.evidence = read_evidence(connection, Tables(connection, schema));
    found.judgement = judge(found.evidence);
  } catch (const Failure&) {
    // Most often no rights; the tables are there all the same, and that is worth saying.
    found.evidence = {};
    found.judgement.sentence = "Its tables could not be read with this user" + (connection.last_error_code() == "42501" ? std::string(", who may not") : " (" + connection.last_error_code() + ")") +
                               ", so that its version cannot be told. Look again with the user of that Metabase.";
  }
  return found;
}

std::optional<Found> look_at_h2(const std::filesystem::path& path) {
  for (auto& file : {path, std::filesystem::path(path.string() + ".mv.db")}) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) continue;
    std::ifstream in(file, std::ios::binary);
    std::string block(4096, '\0');
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    block.resize(static_cast<std::size_t>(in.gcount()));
    if (auto judgement = judge_h2(block)) {
      Found found;
      found.where = "the file " + file.string();
      found.judgement = *judgement;
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace basalt::takeover
